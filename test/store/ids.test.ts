import { expect, test } from "vitest";
import { newId, newOwnedId, ownerOf } from "../../store/ids.ts";

test("an owned id names its owner, and no two ids are the same", () => {
  const userId = newId();
  expect(userId).toMatch(/^[0-9a-f]{32}$/);
  const ids = Array.from({ length: 1_000 }, () => newOwnedId(userId));
  expect(new Set(ids).size).toBe(1_000);
  expect(ids.every((id) => ownerOf(id) === userId)).toBe(true);
});

test.each([
  "",
  "x",
  newId(),
  `${newOwnedId(newId())}0`,
  newOwnedId(newId()).toUpperCase(),
  `${newOwnedId(newId())}\n`,
])("%j is not an owned id", (text) => {
  expect(ownerOf(text)).toBeUndefined();
});
