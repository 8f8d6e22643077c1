/** A WooCommerce shop that answers by the contract, as far as the desk's engine asks. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { crc32, deflateSync } from "node:zlib";

export const KEY = "ck_desk_0123456789";
export const SECRET = "cs_canary_desk_77aa";

export interface Goods {
  id: number;
  name: string;
  price: string;
  regular?: string;
  left: number | null;
  about?: string;
  picture?: string;
}

export class Shop {
  goods: Goods[];
  open = true;
  #server: Server;

  constructor(goods: Goods[]) {
    this.goods = goods;
    this.#server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", this.url);
      const say = (status: number, body: unknown, headers: Record<string, string> = {}) => {
        response.writeHead(status, { "content-type": "application/json", ...headers });
        response.end(JSON.stringify(body));
      };
      const picture = /^\/pictures\/(\d+)\.png$/.exec(url.pathname);
      if (!this.open) return say(503, { code: "maintenance" });
      if (picture) {
        response.writeHead(200, { "content-type": "image/png" });
        return response.end(swatch(Number(picture[1])));
      }
      const said = request.headers.authorization;
      if (said !== `Basic ${Buffer.from(`${KEY}:${SECRET}`).toString("base64")}`)
        return say(401, { code: "woocommerce_rest_authentication_error", message: "Consumer secret is invalid." });
      if (url.pathname.endsWith("/settings/general/woocommerce_currency")) return say(200, { value: "EUR" });
      if (!url.pathname.endsWith("/products")) return say(404, { code: "rest_no_route" });
      const include = url.searchParams.get("include")?.split(",").map(Number);
      const all = this.goods.filter(({ id }) => !include || include.includes(id));
      const [page, size] = ["page", "per_page"].map((name) => Number(url.searchParams.get(name) ?? (name === "page" ? 1 : 10))) as [number, number];
      say(200, all.slice((page - 1) * size, page * size).map((one) => this.#wire(one)), {
        "x-wp-total": String(all.length),
        "x-wp-totalpages": String(Math.ceil(all.length / size)),
      });
    });
  }

  async listen() {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get url() {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo | null)?.port ?? 0}`;
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #wire({ id, name, price, regular, left, about, picture }: Goods) {
    return {
      id,
      name,
      price,
      regular_price: regular ?? price,
      sku: `SKU-${id}`,
      stock_status: left === 0 ? "outofstock" : "instock",
      stock_quantity: left,
      permalink: `${this.url}/product/${id}`,
      short_description: `<p>${about ?? ""}</p>`,
      images: picture === "none" ? [] : [{ src: `${this.url}/pictures/${id}.png` }],
      categories: [{ name: "Shop" }],
    };
  }
}

/** A PNG of one colour, 8 by 8 pixels, a colour for each number. */
function swatch(number: number): Buffer {
  const hue = [[42, 21, 85], [240, 104, 127], [255, 180, 138], [74, 168, 255], [46, 125, 80], [181, 58, 134]][number % 6]!;
  const row = Buffer.from([0, ...Array.from({ length: 8 }, () => hue).flat()]);
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(8 + body.length);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), 4 + body.length);
    return out;
  };
  const header = Buffer.from([0, 0, 0, 8, 0, 0, 0, 8, 8, 2, 0, 0, 0]);
  const pixels = deflateSync(Buffer.concat(Array.from({ length: 8 }, () => row)));
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header), chunk("IDAT", pixels), chunk("IEND", Buffer.alloc(0))]);
}
