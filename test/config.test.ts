import { describe, expect, test } from "vitest";
import { loadConfig } from "../config.ts";
import { environmentOf } from "./support/stack.ts";

const nowhere = { address: "127.0.0.1:1", namespace: "none" };

function supportOf(SUPPORT_CONTACT: string) {
  const env = environmentOf("postgres://127.0.0.1:1/x", "redis://127.0.0.1:1", nowhere);
  return loadConfig({ ...env, SUPPORT_CONTACT }).SUPPORT_CONTACT;
}

describe("SUPPORT_CONTACT, which every locked user is shown", () => {
  test.each([
    ["mailto:help@panel.example", "help@panel.example"],
    ["mailto:help@panel.example?subject=Locked", "help@panel.example"],
    ["tel:+1-512-555-0100", "+1-512-555-0100"],
    ["https://panel.example/support", "https://panel.example/support"],
  ])("%s is a link that reads %s", (link, text) => {
    expect(supportOf(link)).toEqual({ text, href: link });
  });

  test.each(["Extension 4711", "Room 12: ask at the desk"])("%s is plain text", (text) => {
    expect(supportOf(text)).toEqual({ text });
  });

  test("left empty it is not set", () => {
    expect(supportOf("")).toBeUndefined();
  });

  test.each(["javascript:alert(1)", "http://panel.example", "https://", "two\nlines"])(
    "%j is refused at the start",
    (text) => {
      expect(() => supportOf(text)).toThrow("SUPPORT_CONTACT");
    },
  );
});
