import { beforeAll, describe, expect, test } from "vitest";
import { newPhone } from "../support/phones.ts";
import { expectProblem } from "../support/problems.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";

const stack = useStack();
let token: string;
beforeAll(async () => {
  token = (await logInByPassword(stack, await stack.createUser())).token;
});

describe("a number that cannot be used is refused with the reason", () => {
  test.each([
    ["unknown_country", "XX", "212-555-0100"],
    ["unknown_country", "us", "212-555-0100"],
    ["unknown_country", "USA", "212-555-0100"],
    ["unknown_country", "", "212-555-0100"],
    ["unknown_country", "__proto__", "212-555-0100"],
    ["extra_characters", "US", "212-555-0100 ext. 5"],
    ["extra_characters", "US", "tel:+12125550100"],
    ["extra_characters", "US", "212555010O"],
    ["extra_characters", "US", "２１２-555-0100"],
    ["extra_characters", "US", "212\u200b5550100"],
    ["extra_characters", "US", "212-555-0100;+442079460018"],
    ["extra_characters", "US", "212-555-+0100"],
    ["too_short", "US", "911"],
    ["too_short", "US", "+1"],
    ["too_short", "US", "+"],
    ["too_short", "US", "( )"],
    ["wrong_length", "US", "212-555-01"],
    ["wrong_length", "US", "212-555-0100-55"],
    ["too_long", "US", "212555010021255501002125"],
    ["wrong_country", "US", "+44 7400 123456"],
    ["not_a_number", "US", "212-155-0100"],
    ["not_a_number", "US", "000-000-0000"],
    ["not_mobile", "GB", "020 7946 0018"],
    ["not_mobile", "FR", "01 23 45 67 89"],
    ["not_mobile", "US", "800-555-0199"],
    ["not_mobile", "US", "900-555-0100"],
  ])("%s: %s %j", async (reason, countryCode, phoneNumber) => {
    const answer = await stack.api.registerPhone(token, { countryCode, phoneNumber });
    const problem = expectProblem(answer, "invalid_phone_number");
    expect(problem.reason).toBe(reason);
    const path = reason === "unknown_country" ? "countryCode" : "phoneNumber";
    expect(problem.errors).toEqual([{ path, message: problem.detail }]);
  });

  test("and leaves no device and spends no message", async () => {
    expect((await stack.api.multiFactor(token)).body.devices).toEqual([]);
    const phone = newPhone();
    expect((await stack.api.registerPhone(token, phone)).body.verified).toBe(false);
    await stack.pinTo(phone.e164);
  });
});

describe("a number is taken in any usual spelling, and shown by its last digits alone", () => {
  test.each([
    ["US", "(619) 555-0101", "+16195550101"],
    ["US", "+1 619.555.0102", "+16195550102"],
    ["US", " 1/619/555/0103 ", "+16195550103"],
    ["GB", "07400 123456", "+447400123456"],
    ["GB", "+44 (0)7400 123457", "+447400123457"],
    ["DE", "0151-23456789", "+4915123456789"],
  ])("%s %j", async (countryCode, phoneNumber, e164) => {
    const { token: own } = await logInByPassword(stack, await stack.createUser());
    const { body: device, text } = await stack.api.registerPhone(own, { countryCode, phoneNumber });
    expect(device.phoneNumber).toMatch(/^\+•+\d{4}$/);
    expect(device.phoneNumber?.slice(-4)).toBe(e164.slice(-4));
    expect(text).not.toContain(e164.slice(2, -4));
    expect(await stack.pinTo(e164)).toMatch(/^\d{4}$/);
  });
});
