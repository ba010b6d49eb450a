import type { Mutation } from "./mutation.ts";

/** Typed text, addresses, content types and what strangers' words may reach. */
export const typedMutations: Mutation[] = [
  {
    mistake: "only the digits of ASCII and of full width are read",
    file: "store/typed-text.ts",
    find: "String(digitValue(digit))",
    replace: "digit",
    noticedBy: ["test/api/typed.property.test.ts"],
  },
  {
    mistake: "unseen characters of a pasted code are not dropped",
    file: "store/typed-text.ts",
    find: '.replace(/[\\p{Cf}\\p{Default_Ignorable_Code_Point}]/gu, "")',
    replace: "",
    noticedBy: ["test/api/typed.property.test.ts"],
  },
  {
    mistake: "the minus sign is no dash",
    file: "store/typed-text.ts",
    find: "\\u2212",
    replace: "",
    noticedBy: ["test/api/typed.property.test.ts"],
  },
  {
    mistake: "a number that no table knows is refused although its length and country fit",
    file: "api/phone-numbers.ts",
    find: "const isMobile = plan?.mobile.test(nationalNumber) ??",
    replace: "const isMobile = false && plan?.mobile.test(nationalNumber) ||",
    noticedBy: ["test/api/phone-numbers.test.ts"],
  },
  {
    mistake: "a landline is sent a PIN",
    file: "api/phone-numbers.ts",
    find: "if (number.isValid()) throw notMobile(",
    replace: "if (number.isValid() && code === '0') throw notMobile(",
    noticedBy: ["test/api/phone-numbers.test.ts"],
  },
  {
    mistake: "a number of another country is taken for the chosen one's",
    file: "api/phone-numbers.ts",
    find: "].filter((number) => number.countryCallingCode === code);",
    replace: "];",
    noticedBy: ["test/api/phone-numbers.test.ts"],
  },
  {
    mistake: "a client's Forwarded goes before the proxy's X-Forwarded-For",
    file: "api/client-address.ts",
    find: 'if (list !== undefined) return list.split(",");',
    replace: 'if (list !== undefined && !header("forwarded")) return list.split(",");',
    noticedBy: ["test/api/forwarded.test.ts"],
  },
  {
    mistake: "what a proxy writes is a client's address whether or not it is one",
    file: "api/client-address.ts",
    find: "return isIP(address) ? ipaddr.process(address).toString() : undefined;",
    replace: "return isIP(address) ? ipaddr.process(address).toString() : node;",
    noticedBy: ["test/api/forwarded.test.ts"],
  },
  {
    mistake: "the leftmost forwarded entry, which the client writes, is believed",
    file: "api/origin.ts",
    find: "entries.at(-trustedProxies)",
    replace: "entries.at(0)",
    noticedBy: ["test/api/forwarded.test.ts", "test/attacks/requests.test.ts"],
  },
  {
    mistake: "each address of a subscriber's /64 is a client of its own",
    file: "api/client-network.ts",
    find: "const SUBSCRIBER_BITS = 64;",
    replace: "const SUBSCRIBER_BITS = 128;",
    noticedBy: ["test/api/forwarded.test.ts"],
  },
  {
    mistake: "a webhook's name needs only one public address",
    file: "gateways/public-addresses.ts",
    find: "if (!first || addresses.some(({ address }) => !isPublicAddress(address)))",
    replace: "if (!first || !addresses.some(({ address }) => isPublicAddress(address)))",
    noticedBy: ["test/gateways/public-addresses.test.ts"],
  },
  {
    mistake: "a webhook is registered whose name leads inside as well as outside",
    file: "gateways/public-addresses.ts",
    find: "return addresses.some(({ address }) => !isPublicAddress(address));",
    replace:
      "return addresses.length > 0 && addresses.every(({ address }) => !isPublicAddress(address));",
    noticedBy: ["test/gateways/public-addresses.test.ts", "test/e2e/webhooks.test.ts"],
  },
  {
    mistake: "reserved networks (192.0.0.0/24, 198.18.0.0/15, documentation) are outside",
    file: "gateways/public-addresses.ts",
    find: 'if (address.range() !== "unicast") return false;',
    replace: 'if (!["unicast", "reserved"].includes(address.range())) return false;',
    noticedBy: ["test/gateways/public-addresses.test.ts"],
  },
  {
    mistake: "Teredo addresses are outside",
    file: "gateways/public-addresses.ts",
    find: 'if (address.range() !== "unicast") return false;',
    replace: 'if (!["unicast", "teredo"].includes(address.range())) return false;',
    noticedBy: ["test/gateways/public-addresses.test.ts"],
  },
  {
    mistake: "an accepted type that says text/plain somewhere gets the recovery codes as text",
    file: "api/routes/settings.ts",
    find: 'const type = preferredType(c, ["application/json", "text/plain"]);',
    replace:
      'const type = c.req.header("accept")?.includes("text/plain") ? "text/plain" : "application/json";',
    noticedBy: ["test/api/content-negotiation.test.ts"],
  },
  {
    mistake: "an unknown client's own words are told as its browser",
    file: "store/user-agents.ts",
    find: "if (!browser.name || !BROWSERS.has(browser.name)) return undefined;",
    replace: "if (!browser.name) return undefined;",
    noticedBy: ["test/store/user-agents.test.ts"],
  },
];
