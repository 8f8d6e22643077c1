/** A shop that is connected to the desk, and hands on its products. */
import type { Page } from "@playwright/test";
import { KEY, SECRET, Shop, type Goods } from "./shop";
import { expect } from "./support";
import { test as base } from "./watchers";

export const GOODS: Goods[] = [
  { id: 1, name: "Nocturne LP, signed", price: "32.30", regular: "38.00", left: 18, about: "Double vinyl, <b>300</b> copies" },
  { id: 2, name: "Nocturne CD", price: "14.00", left: 212 },
  { id: 3, name: "Moth hoodie", price: "54.00", left: 40 },
  { id: 4, name: "Tour T-shirt", price: "28.00", left: 3 },
  { id: 5, name: "Poster A2, numbered", price: "22.00", left: 96 },
  { id: 6, name: "Belleville tote bag", price: "16.00", left: 70, picture: "none" },
  { id: 7, name: "Demo cassette", price: "11.00", left: 0 },
  { id: 8, name: "Crème brûlée <script>alert(1)</script>&amp; spoon", price: "8.00", left: 140 },
  { id: 9, name: "Replay ticket", price: "9.00", left: null },
];

export const test = base.extend<{ shop: Shop }>({
  shop: async ({}, use) => {
    const shop = new Shop(structuredClone(GOODS));
    await shop.listen();
    await use(shop);
    shop.close();
  },
});

export const tab = (page: Page) => page.getByRole("tab", { name: /^(Products|Produits)/ });
export const row = (page: Page, title: string) => page.locator("[data-product]").filter({ hasText: title });
export const featured = (page: Page) => page.locator(".feat h3");
export const field = (page: Page) => page.locator("[data-product-search]");

export async function connect(page: Page, shop: Shop, { secret = SECRET } = {}) {
  await tab(page).click();
  await page.locator(".pbar button").last().click();
  await page.getByRole("menuitem").nth(2).click();
  const dialog = page.getByRole("dialog");
  await dialog.locator("input").nth(0).fill(shop.url);
  await dialog.locator("input").nth(1).fill(KEY);
  await dialog.locator("input").nth(2).fill(secret);
  await dialog.locator(".btn-primary").click();
  await expect(dialog).toBeHidden();
}

/** Takes products into the show by the search. */
export async function choose(page: Page, ...titles: string[]) {
  for (const title of titles) {
    await field(page).fill(title);
    const found = page.locator("[data-found]").filter({ hasText: title });
    await found.locator(".btn").click();
    await expect(found.locator(".btn")).toHaveAttribute("aria-pressed", "true");
  }
  await field(page).press("Escape");
}
