import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { readAddress } from "../../store/addresses.ts";

const LONGEST_LABEL = "b".repeat(63);

test.each([
  ["Alice.B+mfa@Example.COM", "Alice.B+mfa@example.com"],
  ["o'hara@example.com", "o'hara@example.com"],
  // RFC 5322 section 3.2.3: every special character of an atom.
  ["a!#$%&'*+/=?^_`{|}~-z@example.com", "a!#$%&'*+/=?^_`{|}~-z@example.com"],
  // International domains, and the same in Punycode.
  ["info@m\u00fcnchen.de", "info@xn--mnchen-3ya.de"],
  ["info@M\u00dcNCHEN.de", "info@xn--mnchen-3ya.de"],
  ["x@xn--mnchen-3ya.de", "x@xn--mnchen-3ya.de"],
  ["user@\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444", "user@xn--e1afmkfd.xn--p1ai"],
  ["user@xn--e1afmkfd.xn--p1ai", "user@xn--e1afmkfd.xn--p1ai"],
  ["u@\u4f8b\u3048.\u30c6\u30b9\u30c8", "u@xn--r8jz45g.xn--zckzah"],
  ["a@example\u3002com", "a@example.com"],
  ["a@b.co", "a@b.co"],
  ["a@sub.sub.example.museum", "a@sub.sub.example.museum"],
  // Pasted with white space or invisible characters around it.
  [" alice@example.com\n", "alice@example.com"],
  ["\u202aalice@example.com\u202c", "alice@example.com"],
  ["\ufeffalice@example.com", "alice@example.com"],
  // RFC 5321 section 4.5.3.1.
  [`${"a".repeat(64)}@example.com`, `${"a".repeat(64)}@example.com`],
  [`a@${LONGEST_LABEL}.de`, `a@${LONGEST_LABEL}.de`],
])("%j is %j", (typed, address) => {
  expect(readAddress(typed)).toBe(address);
});

test.each([
  ...["", "@", "alice", "alice@", "@example.com", "alice@example", "a b@example.com"],
  ...["a@b@example.com", "Alice <alice@example.com>", "alice@example.com, bob@example.com"],
  ...["alice@example.com\r\nBcc: all@example.com", "alice@exam\nple.com", "a\u0000@example.com"],
  ...[".a@example.com", "a.@example.com", "a..b@example.com", '"a b"@example.com'],
  ...["\u00fc@example.com", "a\u200bb@example.com"],
  ...["a@-example.com", "a@example-.com", "a@ex_ample.com", "a@example..com", "a@.com"],
  ...["a@example.c", "a@example.123", "a@192.0.2.1", "a@[192.0.2.1]", "a@0x7f.1"],
  ...[
    "a@example.com/x",
    "a@example.com?x",
    "a@example.com#x",
    "a@example.com:25",
    "a@ex%2eample.com",
  ],
  ...["a@xn--.com", "a@\u2603 .com", `a@${LONGEST_LABEL}b.de`, `${"a".repeat(65)}@example.com`],
  `a@${`${LONGEST_LABEL}.`.repeat(4)}de`,
])("%j is not an address", (typed) => {
  expect(readAddress(typed)).toBeUndefined();
});

test("a browser's type=email accepts every address that we accept; beyond it we refuse only odd domains and dots", () => {
  const atext = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,20}$/);
  const domain = fc.stringMatching(/^[a-z0-9-]{1,8}(\.[a-z0-9-]{1,8}){0,2}\.[a-z]{2,6}$/);
  fc.assert(
    fc.property(fc.oneof(fc.tuple(atext, domain), fc.tuple(fc.string(), fc.string())), (parts) => {
      const typed = parts.join("@");
      const address = readAddress(typed);
      if (address !== undefined) {
        expect(address).toMatch(z.regexes.html5Email);
        expect(readAddress(address)).toBe(address);
      } else if (z.regexes.html5Email.test(typed) && !/^\.|\.\.|\.@/.test(typed))
        // Hyphens in the third and fourth place are Punycode's (RFC 5891 section 4.2.3.1).
        expect(typed).toMatch(/@[^.]*$|\.\d+$|\.[^.]$|[@.]..--/);
    }),
    { numRuns: 1000 },
  );
});
