import { expect, test } from "vitest";
import { configuredMethods, effectiveDefault } from "../../store/methods.ts";

const at = new Date(0);
const sms = { type: "sms", verifiedAt: at } as const;
const otp = { type: "otp", verifiedAt: at } as const;
const unverified = { type: "otp", verifiedAt: null } as const;

test("an unverified device configures no method", () => {
  expect(configuredMethods([unverified])).toEqual([]);
  expect(configuredMethods([sms, unverified])).toEqual(["sms"]);
  expect(configuredMethods([sms, otp, otp])).toEqual(["otp", "sms"]);
  expect(effectiveDefault("otp", [unverified])).toBeUndefined();
});

test("the chosen method is the default if it is configured, otherwise the strongest one that is", () => {
  expect(effectiveDefault("sms", [sms, otp])).toBe("sms");
  expect(effectiveDefault("sms", [otp])).toBe("otp");
  expect(effectiveDefault(null, [sms])).toBe("sms");
  expect(effectiveDefault(null, [sms, otp])).toBe("otp");
  expect(effectiveDefault(null, [])).toBeUndefined();
});
