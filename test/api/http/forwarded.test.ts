import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../../api/app.ts";
import { canonicalAddress } from "../../../api/http/client-address.ts";
import { clientNetwork } from "../../../core/limits/client-network.ts";
import type { Person } from "../../support/people.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();
let user: Person;
beforeAll(async () => {
  user = await stack.createUser();
});

/** The address that the service records for a login with these header lines. */
async function addressOf(lines: [string, string][], proxies = 1): Promise<string | null> {
  const config = { ...stack.deps.config, TRUSTED_PROXIES: proxies };
  const app = createApp({ ...stack.deps, config });
  const headers = new Headers([["content-type", "application/json"]]);
  for (const [name, value] of lines) headers.append(name, value);
  const { username, password } = user;
  const body = JSON.stringify({ username, password });
  const login = await app.request("/v1/login", { method: "POST", headers, body });
  const { session } = (await login.json()) as { session: { token: string } };
  return (await stack.api.session(session.token)).body.ip;
}

describe("an address in X-Forwarded-For is read in any usual spelling; everything else is ignored", () => {
  test.each([
    ["192.0.2.1:4711", "192.0.2.1"],
    ["  192.0.2.1  ", "192.0.2.1"],
    ["[2001:db8::1]:4711", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
    ["[::ffff:192.0.2.1]:4711", "192.0.2.1"],
    ["6.6.6.6, 192.0.2.1:80", "192.0.2.1"],
    ["unknown", null],
    ["_hidden", null],
    ["-", null],
    ["192.0.2", null],
    ["192.0.2.256", null],
    ["0x7f.1", null],
    ["3221225985", null],
    ["192.0.2.1 or so", null],
    ["Call 555-0100", null],
    ["<script>alert(1)</script>", null],
    ["192.0.2.1,", null],
    ["192.0.2.1, ", null],
  ])("%j is %j", async (entry, ip) => {
    expect(await addressOf([["x-forwarded-for", entry]])).toBe(ip);
  });

  test("several header lines count as one list", async () => {
    const lines: [string, string][] = [
      ["x-forwarded-for", "6.6.6.6"],
      ["x-forwarded-for", "192.0.2.1"],
      ["x-forwarded-for", "10.0.0.1"],
    ];
    expect(await addressOf(lines, 1)).toBe("10.0.0.1");
    expect(await addressOf(lines, 2)).toBe("192.0.2.1");
  });
});

describe("if the proxy writes Forwarded (RFC 7239) instead, its `for` is the address", () => {
  test.each([
    ["for=192.0.2.1", "192.0.2.1"],
    ['For="192.0.2.1:4711"', "192.0.2.1"],
    ['for="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"],
    ['for="[2001:db8:cafe::17]";proto=https', "2001:db8:cafe::17"],
    ["proto=http; by=203.0.113.43;FOR=192.0.2.1", "192.0.2.1"],
    ["for=6.6.6.6, for=192.0.2.1;host=panel.example", "192.0.2.1"],
    ['for=6.6.6.6, host="x, for=6.6.6.6";for=192.0.2.1', "192.0.2.1"],
    ['for="_gazonk"', null],
    ["for=_hidden:_port", null],
    ["for=unknown", null],
    ["proto=https", null],
    ['for="6.6.6.6', null],
    ["nonsense", null],
    ["", null],
  ])("%j is %j", async (header, ip) => {
    expect(await addressOf([["forwarded", header]])).toBe(ip);
  });

  test("without a trusted proxy neither header counts", async () => {
    expect(await addressOf([["forwarded", "for=192.0.2.1"]], 0)).toBeNull();
    expect(await addressOf([["x-forwarded-for", "192.0.2.1"]], 0)).toBeNull();
  });

  test("attack: a client's own Forwarded beside the proxy's X-Forwarded-For is ignored", async () => {
    const lines: [string, string][] = [
      ["forwarded", "for=6.6.6.6"],
      ["x-forwarded-for", "192.0.2.1"],
    ];
    expect(await addressOf(lines)).toBe("192.0.2.1");
    expect(await addressOf([...lines, ["x-forwarded-for", "unknown"]])).toBeNull();
  });
});

const address = fc.oneof(fc.ipV4(), fc.ipV6());

test("an address with a port, in brackets, in capitals or mapped into IPv6 is the same address", () => {
  fc.assert(
    fc.property(address, fc.nat(65_535), (ip, port) => {
      const canonical = canonicalAddress(ip);
      expect(canonical).toBeDefined();
      const isV6 = ip.includes(":");
      const spellings = isV6
        ? [`[${ip}]:${port}`, `[${ip}]`, ip.toUpperCase()]
        : [`${ip}:${port}`, `::ffff:${ip}`, `[::FFFF:${ip}]:${port}`];
      for (const spelling of [...spellings, canonical, ` ${ip} `])
        expect(canonicalAddress(spelling), spelling).toBe(canonical);
    }),
  );
});

test("any header gives an address in its one form, or none", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string()), (text) => {
      const canonical = canonicalAddress(text);
      if (canonical !== undefined) expect(canonicalAddress(canonical)).toBe(canonical);
    }),
  );
});

test("an IPv6 subscriber is one client in the whole /64, however an address is written", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(0xffff), { minLength: 12, maxLength: 12 }), (groups) => {
      const hex = groups.map((group) => group.toString(16));
      const [net, one, two] = [hex.slice(0, 4), hex.slice(4, 8), hex.slice(8)];
      fc.pre(net.some((group) => group !== "0"));
      const networks = [one, two].map((host) => clientNetwork([...net, ...host].join(":")));
      expect(networks[0]).toBe(networks[1]);
      expect(clientNetwork([...net, ...one].join(":").toUpperCase())).toBe(networks[0]);
      const neighbour = [...net.slice(0, 3), ((groups[3] as number) ^ 1).toString(16), ...one];
      expect(clientNetwork(neighbour.join(":"))).not.toBe(networks[0]);
    }),
  );
  expect(clientNetwork("::ffff:192.0.2.1")).toBe("192.0.2.1");
  expect(clientNetwork("192.0.2.1")).not.toBe(clientNetwork("192.0.2.2"));
  expect(clientNetwork("unknown")).toBe("unknown");
});
