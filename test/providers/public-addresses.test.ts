import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { isInside, isPublicAddress } from "../../providers/webhook/public-addresses.ts";
import { webhookSender } from "../../providers/webhook/webhook.ts";
import { dns } from "../support/dns.ts";

/** The first and last address of each network that webhooks must not reach. */
const INSIDE: [string, string, string][] = [
  ["this network", "0.0.0.0", "0.255.255.255"],
  ["private", "10.0.0.0", "10.255.255.255"],
  ["carrier-grade NAT", "100.64.0.0", "100.127.255.255"],
  ["loopback", "127.0.0.0", "127.255.255.255"],
  ["link-local, where clouds keep credentials", "169.254.0.0", "169.254.255.255"],
  ["private", "172.16.0.0", "172.31.255.255"],
  ["IETF protocol assignments", "192.0.0.0", "192.0.0.255"],
  ["documentation", "192.0.2.0", "192.0.2.255"],
  ["6to4 relays", "192.88.99.0", "192.88.99.255"],
  ["private", "192.168.0.0", "192.168.255.255"],
  ["benchmarking", "198.18.0.0", "198.19.255.255"],
  ["documentation", "198.51.100.0", "198.51.100.255"],
  ["documentation", "203.0.113.0", "203.0.113.255"],
  ["multicast", "224.0.0.0", "239.255.255.255"],
  ["reserved, and broadcast", "240.0.0.0", "255.255.255.255"],
  ["unspecified, and loopback", "::", "::1"],
  ["IPv4-compatible", "::127.0.0.1", "::ffff:ffff"],
  ["IPv4-mapped", "::ffff:0.0.0.0", "::ffff:255.255.255.255"],
  ["IPv4-translated", "::ffff:0:127.0.0.1", "::ffff:0:ffff:ffff"],
  ["NAT64", "64:ff9b::", "64:ff9b::ffff:ffff"],
  ["local NAT64", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"],
  ["discard", "100::", "100::ffff:ffff:ffff:ffff"],
  ["Teredo", "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["protocol assignments", "2001:1::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["documentation", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["6to4", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["documentation", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["not global unicast", "4000::", "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["segment routing", "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["unique local", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["link-local", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["site-local", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["multicast", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
];

/** The neighbours of those networks. */
const OUTSIDE = [
  ...["1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255"],
  ...["128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0"],
  ...["192.0.3.0", "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0"],
  ...["198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255"],
  ...["203.0.114.0", "223.255.255.255", "2001:200::", "2001:db7:ffff::", "2001:db9::", "2003::"],
  ...["2001:4860:4860::8888", "2606:4700::1111", "3fff:1000::", "3ffe:ffff::"],
];

test.each(INSIDE)("%s: nothing from %s to %s is public", async (_, first, last) => {
  for (const address of [first, last]) {
    expect(isPublicAddress(address), address).toBe(false);
    expect(await isInside(address), address).toBe(true);
  }
});

test.each(OUTSIDE)("%s is public", async (address) => {
  expect(isPublicAddress(address)).toBe(true);
  expect(await isInside(address)).toBe(false);
});

test.each(["", "example.com", "1.2.3", "0x08.8.8.8", "8.8.8.8:443", "[2606:4700::1111]"])(
  "%j is not an address, so it is not public",
  (text) => {
    expect(isPublicAddress(text)).toBe(false);
  },
);

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const message = (url: string) => ({ url, secret, id: "evt_1", at: new Date(0), body: "{}" });

describe("attack: a webhook's host name that leads to an internal address", () => {
  test.each([
    [["127.0.0.1"]],
    [["10.1.2.3"]],
    [["::1"]],
    [["::ffff:127.0.0.1"]],
    [["64:ff9b::7f00:1"]],
    // One private address is enough to refuse, even beside a public one.
    [["93.184.215.14", "127.0.0.1"]],
    [["127.0.0.1", "93.184.215.14"]],
    [["2606:4700::1111", "fd00::1"]],
    [["93.184.215.14", "2001:0:4136:e378:8000:63bf:3fff:fdd2"]],
    [[]],
  ])("%j gets no connection", async (addresses) => {
    const { resolve, asked } = dns(addresses);
    const sender = webhookSender({ inside: false, timeoutMs: 5000, resolve });
    expect(await sender.send(message("http://hooks.example/"))).toBe("blocked_address");
    expect(asked).toEqual(["hooks.example"]);
    if (addresses.length > 0) expect(await isInside("hooks.example", resolve)).toBe(true);
  });

  test("that DNS changes a moment later: the connection goes to the address that was checked", async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const { resolve, asked } = dns(["93.184.215.14"], ["127.0.0.1"]);
    const sender = webhookSender({ inside: false, timeoutMs: 300, resolve });
    const outcome = await sender.send(message(`http://hooks.example:${port}/`));
    expect(["timeout", "unreachable"]).toContain(outcome);
    expect(asked).toHaveLength(1);
    // The next attempt resolves the name again and checks every address.
    expect(await sender.send(message(`http://hooks.example:${port}/`))).toBe("blocked_address");
    expect(connections).toBe(0);
    server.close();
  });

  test("is looked up exactly as in the URL; localhost is never looked up", async () => {
    const { resolve, asked } = dns(["93.184.215.14"]);
    expect(await isInside("deep.localhost", resolve)).toBe(true);
    expect(asked).toEqual([]);
    expect(await isInside("hooks.example", resolve)).toBe(false);
    expect(asked).toEqual(["hooks.example"]);
  });
});
