import { expect, test } from "./support";

test("faders go by key, by typed number, by hand and back to 0 dB", async ({ desk, page }) => {
  await desk.addSource("Test card", "Tone");
  const fader = page.getByRole("slider", { name: "Gain of Tone" });
  await expect(fader).toHaveAttribute("aria-valuetext", "0.0 dB");
  await fader.focus();
  await page.keyboard.press("ArrowDown");
  await expect(fader).toHaveAttribute("aria-valuetext", "−0.5 dB");
  await page.keyboard.press("Shift+ArrowDown");
  await expect(fader).toHaveAttribute("aria-valuetext", "−0.6 dB");
  await page.keyboard.press("PageDown");
  await expect(fader).toHaveAttribute("aria-valuetext", "−6.6 dB");
  await page.keyboard.type("-12.5");
  await page.keyboard.press("Enter");
  await expect(fader).toHaveAttribute("aria-valuetext", "−12.5 dB");
  const box = (await fader.boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2 - 20, { steps: 4 });
  await page.mouse.up();
  await expect(fader).not.toHaveAttribute("aria-valuetext", "−12.5 dB");
  await fader.dblclick();
  await expect(fader).toHaveAttribute("aria-valuetext", "0.0 dB");
  await page.keyboard.press("End");
  await expect(fader).toHaveAttribute("aria-valuetext", "−∞ dB");
  await page.reload();
  await expect(page.getByRole("slider", { name: "Gain of Tone" }), "the engine kept it").toHaveAttribute("aria-valuetext", "−∞ dB");
});

test("meters hear the tone at −20 dBFS, and M mutes the strip in focus", async ({ desk, page }) => {
  await desk.addSource("Test card", "Tone");
  const meter = page.getByRole("meter", { name: "Tone, left" });
  await expect.poll(async () => Number(await meter.getAttribute("aria-valuenow")), { timeout: 15_000 }).toBeGreaterThan(-21.5);
  expect(Number(await meter.getAttribute("aria-valuenow"))).toBeLessThan(-18.5);
  const master = page.getByRole("meter", { name: "Program, left" });
  await expect.poll(async () => Number(await master.getAttribute("aria-valuenow"))).toBeGreaterThan(-21.5);

  await page.getByRole("slider", { name: "Gain of Tone" }).focus();
  await page.keyboard.press("m");
  await expect(desk.button("Mute Tone")).toHaveAttribute("aria-pressed", "true");
  await expect.poll(async () => Number(await master.getAttribute("aria-valuenow")), { timeout: 15_000 }).toBeLessThan(-40);
});

test("balance and delay of a strip, and the master", async ({ desk, page }) => {
  await desk.addSource("Test card", "Tone");
  await desk.button("Pan and delay of Tone").click();
  const pop = desk.dialog();
  await pop.getByRole("slider").fill("-0.5");
  await pop.getByLabel("Delay in ms").fill("120");
  await pop.getByLabel("Delay in ms").press("Enter");
  await expect(pop.getByText("50 % left")).toBeVisible();
  await page.keyboard.press("Escape");
  await page.reload();
  await desk.button("Pan and delay of Tone").click();
  await expect(desk.dialog().getByLabel("Delay in ms")).toHaveValue("120");
  await page.keyboard.press("Escape");
  await desk.button("Mute Program").click();
  await expect(desk.button("Mute Program")).toHaveAttribute("aria-pressed", "true");
});

test("a drag asks the engine at most thirty times a second, and the last place of the hand is kept", async ({ desk, page }) => {
  await desk.addSource("Test card", "Tone");
  const gains: { gain: number; at: number }[] = [];
  page.on("websocket", (socket) =>
    socket.on("framesent", ({ payload }) => {
      const message = typeof payload === "string" ? JSON.parse(payload) : {};
      if (message.command?.do === "set_audio") gains.push({ gain: message.command.audio.gain, at: Date.now() });
    }),
  );
  await page.reload();
  const fader = page.getByRole("slider", { name: "Gain of Tone" });
  const box = (await fader.boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 4];
  await page.mouse.move(x, y);
  await page.mouse.down();
  // Within the page, where moves come as fast as a mouse of 1000 Hz sends them.
  const seconds = await fader.evaluate(
    async (rail, from) => {
      const began = performance.now();
      for (let n = 1; n <= 600; n++) {
        rail.dispatchEvent(new PointerEvent("pointermove", { clientY: from + n / 10, pointerId: 1, bubbles: true }));
        if (n % 2 === 0) await new Promise((done) => setTimeout(done));
      }
      return (performance.now() - began) / 1000;
    },
    y,
  );
  await page.mouse.move(x, y + 60);
  await page.mouse.up();
  const shown = (await fader.getAttribute("aria-valuetext"))!;
  await expect.poll(() => gains.at(-1)?.gain).toBeCloseTo(Number(shown.replace("−", "-").replace(" dB", "")), 1);
  expect(gains.length, `${gains.length} in ${seconds} s`).toBeLessThanOrEqual(Math.ceil(seconds * 30) + 4);
  expect(gains.length, "the engine hears the drag, not only its end").toBeGreaterThan(5);
  await page.reload();
  await expect(page.getByRole("slider", { name: "Gain of Tone" }), "the engine kept it").toHaveAttribute("aria-valuetext", shown);
});

test("a mute in the middle of a drag leaves the fader in the hand", async ({ desk, page }) => {
  await desk.addSource("Test card", "Tone");
  const fader = page.getByRole("slider", { name: "Gain of Tone" });
  await fader.focus();
  // Both before the engine can have answered the first.
  await page.evaluate(() => {
    const focused = document.activeElement!;
    for (const key of ["PageDown", "PageDown", "m"]) focused.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  });
  await expect(desk.button("Mute Tone")).toHaveAttribute("aria-pressed", "true");
  await expect(fader).toHaveAttribute("aria-valuetext", "−12.0 dB");
  await page.reload();
  await expect(page.getByRole("slider", { name: "Gain of Tone" })).toHaveAttribute("aria-valuetext", "−12.0 dB");
  await expect(desk.button("Mute Tone")).toHaveAttribute("aria-pressed", "true");
});
