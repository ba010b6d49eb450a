import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { seal, unseal } from "../../store/sealing.ts";

const key = { id: "k", key: randomBytes(32) };
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const record = fc.string({ unit: "binary", maxLength: 40 });

test("what is sealed opens for its record, and for no other record or key", () => {
  fc.assert(
    fc.property(bytes, record, record, (plaintext, id, other) => {
      const sealed = seal([key], plaintext, id);
      expect(unseal([key], sealed, id)).toEqual(plaintext);
      if (!Buffer.from(id).equals(Buffer.from(other)))
        expect(() => unseal([key], sealed, other)).toThrow();
      expect(() => unseal([{ ...key, key: randomBytes(32) }], sealed, id)).toThrow();
    }),
  );
});

test("a change of any bit in nonce, text or tag is noticed", () => {
  fc.assert(
    fc.property(bytes, fc.nat(), (plaintext, at) => {
      const [version, id, nonce = "", body = ""] = seal([key], plaintext, "record").split(".");
      const parts = [nonce, body].map((part) => Buffer.from(part, "base64url"));
      const bit = at % (parts.reduce((all, { length }) => all + length, 0) * 8);
      const whole = Buffer.concat(parts);
      whole[bit >> 3] = (whole[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const changed = [whole.subarray(0, 12), whole.subarray(12)];
      const text = [version, id, ...changed.map((part) => part.toString("base64url"))].join(".");
      expect(() => unseal([key], text, "record")).toThrow();
    }),
  );
});

test("text that was never sealed does not open", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(() => unseal([key], text, "record")).toThrow();
    }),
  );
});
