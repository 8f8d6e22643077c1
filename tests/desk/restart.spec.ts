import { expect, test } from "./support";

test("the last picture stays while the engine comes back, and then the desk is in step again", async ({ desk, page, engine }) => {
  await desk.addColour("Plate");
  await engine.kill();
  await expect(page.getByText("The engine is coming back…")).toBeVisible();
  await expect(page.locator(".picture > canvas")).toHaveAttribute("data-painted", "true");
  await engine.start();
  await expect(page.getByText("The engine is coming back…")).toBeHidden({ timeout: 15_000 });
  await expect(desk.sourceRow("Plate"), "scenes survive a crash").toBeVisible();
  await desk.addColour("After");
});
