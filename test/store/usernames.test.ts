import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normalizeUsername } from "../../store/postgres/users.ts";
import { enforceUsername, faultOfUsername, nameInMail } from "../../store/usernames.ts";

describe("the profile UsernameCaseMapped (RFC 8265 section 3.5 and its rules)", () => {
  test.each([
    ["juliet@example.com", "juliet@example.com"],
    ["fussball", "fussball"],
    ["fu\u00dfball", "fu\u00dfball"],
    ["\u03c0", "\u03c0"],
    ["\u03a3", "\u03c3"],
    ["\u03c3", "\u03c3"],
    ["\u03c2", "\u03c2"],
    // Width, case and Unicode composition are mapped.
    ["\uff21lice", "alice"],
    ["ALICE", "alice"],
    ["A\u0301", "\u00e1"],
    ["\uff76\uff9e", "\u30ac"],
    ["\ud55c\uad6d", "\ud55c\uad6d"],
    ["\u1112\u1161\u11ab", "\ud55c"],
    // Right-to-left names (RFC 5893).
    ["\u05e9\u05dc\u05d5\u05dd", "\u05e9\u05dc\u05d5\u05dd"],
    ["\u0645\u062d\u0645\u062f1", "\u0645\u062d\u0645\u062f1"],
    // Characters allowed only in context (RFC 5892, appendix A).
    ["col\u00b7la", "col\u00b7la"],
    ["\u30a2\u30fb\u30a4", "\u30a2\u30fb\u30a4"],
    // Pasted with invisible characters.
    ["\ufeff\u202dalice\u202c ", "alice"],
  ])("%j is %j", (typed, name) => {
    expect(enforceUsername(typed)).toBe(name);
  });

  test.each([
    "",
    " ",
    "foo bar",
    "foo\u00a0bar",
    "henry\u2163",
    "\u265a",
    "\u221e",
    "\ufb01ona",
    "a\u0000b",
    "a\ud800b",
    "\ue000",
    "\u0378",
    "\u{1f600}",
    "a\u00b7b",
    "\u30fb",
    "a\u0640",
    "\u0660\u06f0",
    "alice\u0660",
    "1\u0645\u062d\u0645\u062f",
    "\u0645\u062d\u0645\u062fa",
    "a\u0645\u062d\u0645\u062f",
  ])("%j is not a user name", (typed) => {
    expect(enforceUsername(typed)).toBeUndefined();
    expect(faultOfUsername(typed)).toBeDefined();
  });

  test("a name keeps its form, and the look-up finds it by whatever was typed", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" })),
        (typed) => {
          const name = enforceUsername(typed);
          if (name === undefined) return;
          expect(enforceUsername(name)).toBe(name);
          expect(enforceUsername(typed.normalize("NFD"))).toBe(name);
          expect(normalizeUsername(typed)).toBe(name);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("a valid name has the same form as before the profile was used", () => {
    const letters = fc.stringMatching(
      /^[A-Za-z0-9._@\u00c0-\u00ff\u0391-\u03a9\u0410-\u042f-]{1,20}$/,
    );
    fc.assert(
      fc.property(letters, (typed) => {
        const before = typed.normalize("NFKC").toLowerCase().trim();
        expect(normalizeUsername(typed)).toBe(before);
      }),
    );
  });
});

describe("the shape of a new name", () => {
  test.each([
    "alice",
    "carol@example.com",
    "john.smith",
    "o'hara",
    "user-0123456789abcdef0123456789abcdef",
    "a".repeat(64),
    "\uff41".repeat(64),
    "e\u0301".repeat(64),
    "\u{10400}".repeat(64),
  ])("%j is allowed", (typed) => {
    expect(faultOfUsername(typed)).toBeUndefined();
  });

  test.each([
    ["your account was hacked, go to http://evil.example", /no spaces/],
    ["http://evil.example", /web address/],
    ["https:evil.example", /web address/],
    ["evil.example/login", /web address/],
    ["evil.example\\login", /web address/],
    ["www.evil.example", /web address/],
    ["WWW.evil.example", /web address/],
    ["go-to-www.evil.example", /web address/],
    ["javascript:alert(1)", /web address/],
    ["a".repeat(65), /at most 64/],
    ["e\u0301".repeat(65), /at most 64/],
    ["\u0430lice", /one alphabet/],
    ["al\u200bice", /no spaces/],
    ["alice\u202e", /no spaces/],
  ])("attack: %j is refused", (typed, words) => {
    expect(faultOfUsername(typed)).toMatch(words);
  });
});

describe("a mail shows too little of a name to carry a message", () => {
  test.each([
    ["ann", "ann"],
    ["alice", "ali•••"],
    ["o'hara", "o'h•••"],
    ["carol@example.com", "car•••"],
    ["al@example.com", "al•••"],
    ["evil.example", "evi•••"],
    ["your-account-was-hacked-call-0900123456", "you•••"],
    ["a".repeat(64), "aaa•••"],
    [".com", undefined],
    // Names from before the rule.
    ["your account was hacked, go to http://evil.example", undefined],
    ["www.evil.example", undefined],
    ["alice smith", undefined],
  ])("of %j: %j", (username, shown) => {
    expect(nameInMail(username)).toBe(shown);
  });
});
