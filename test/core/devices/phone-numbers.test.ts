import { beforeAll, describe, expect, test } from "vitest";
import { newPhone } from "../../support/phones.ts";
import { expectProblem } from "../../support/problems.ts";
import { logInByPassword } from "../../support/scenarios.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();
let token: string;
beforeAll(async () => {
  token = (await logInByPassword(stack, await stack.createUser())).token;
});

describe("an unusable number is refused with the reason", () => {
  test.each([
    ["unknown_country", "XX", "212-555-0100"],
    ["unknown_country", "us", "212-555-0100"],
    ["unknown_country", "USA", "212-555-0100"],
    ["unknown_country", "", "212-555-0100"],
    ["unknown_country", "__proto__", "212-555-0100"],
    ["extra_characters", "US", "212-555-0100 ext. 5"],
    ["extra_characters", "US", "212555010O"],
    ["extra_characters", "US", "212-555-0100;+442079460018"],
    ["extra_characters", "US", "212-555-+0100"],
    ["extra_characters", "US", "tel:+12125550100;ext=5"],
    ["extra_characters", "US", "212-555-\u2160\u2161\u2162"],
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
    ["not_a_number", "US", "112-555-0100"],
    ["not_a_number", "DE", "0000 000000"],
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

  test("and leaves no device and costs no message", async () => {
    expect((await stack.api.multiFactor(token)).body.devices).toEqual([]);
    const phone = newPhone();
    expect((await stack.api.registerPhone(token, phone)).body.verified).toBe(false);
    await stack.pinTo(phone.e164);
  });
});

describe("the refusal says what to do next", () => {
  test.each([
    // Argentina: 9 in front of the area code, or 15 behind it.
    ["AR", "11 2345-6789", /with 9 or 15 in front/],
    ["AR", "15 2345-6789", /with 9 or 15 in front/],
    ["AR", "+54 11 2345-6789", /with 9 or 15 in front/],
    // Brazil: the ninth digit, and the area code.
    ["BR", "11 8765-4321", /the area code and 9 in front/],
    ["BR", "98765-4321", /the area code and 9 in front/],
    // Only if the tables know the number's type does the answer say why it takes no messages.
    ["GB", "020 7946 0018", /^This is a landline\. /],
    ["US", "800-555-0199", /cannot receive text messages/],
    ["GB", "0871 123 4567", /cannot receive text messages/],
    // Types that may receive messages: VoIP, personal and company numbers.
    ["GB", "056 1234 5678", /^This number cannot be used here\. /],
    ["GB", "070 1234 5678", /^This number cannot be used here\. /],
    ["GB", "055 1234 5678", /^This number cannot be used here\. /],
    ["FR", "09 72 12 34 56", /^This number cannot be used here\. /],
    ["US", "212-155-0100", /no such number/],
  ])("%s %j", async (countryCode, phoneNumber, words) => {
    const answer = await stack.api.registerPhone(token, { countryCode, phoneNumber });
    const { detail } = expectProblem(answer, "invalid_phone_number");
    expect(detail).toMatch(words);
    expect(detail).not.toMatch(/too few/);
  });
});

describe("a number is accepted in any usual spelling; only its last digits are shown", () => {
  test.each([
    ["US", "(619) 555-0101", "+16195550101"],
    ["US", "+1 619.555.0102", "+16195550102"],
    ["US", " 1/619/555/0103 ", "+16195550103"],
    ["GB", "07400 123456", "+447400123456"],
    ["GB", "+44 (0)7400 123457", "+447400123457"],
    ["DE", "0151-23456789", "+4915123456789"],
    // Pasted from web pages and address books.
    ["DE", "+49\u202f151\u202f23456780", "+4915123456780"],
    ["US", "415\u2011555\u20110132", "+14155550132"],
    ["US", "\u202d415 555 0133\u202c", "+14155550133"],
    ["US", "\u2066+1 415\u200b555\u20600134\u2069", "+14155550134"],
    ["US", "tel:+1-415-555-0135", "+14155550135"],
    ["US", "(415) 555\u20130136", "+14155550136"],
    ["DE", "(+49) 151 23456781", "+4915123456781"],
    // Digits of another script's keyboard.
    ["EG", "\u0660\u0661\u0660\u0660 \u0661\u0662\u0663 \u0664\u0665\u0666\u0667", "+201001234567"],
    ["IN", "\u096f\u0967\u0968\u0969\u096a \u096b\u096c\u096d\u096e\u096f", "+919123456789"],
    [
      "JP",
      "\uff10\uff19\uff10\u30fc\uff11\uff12\uff13\uff14\u30fc\uff15\uff16\uff17\uff18",
      "+819012345678",
    ],
    [
      "US",
      "\uff0b\uff11\uff08\uff14\uff11\uff15\uff09\uff15\uff15\uff15\uff0d\uff10\uff11\uff13\uff17",
      "+14155550137",
    ],
    // The calling code without a plus, or with the 00 prefix.
    ["DE", "49 151 23456782", "+4915123456782"],
    ["DE", "0049 151 23456783", "+4915123456783"],
    ["DE", "011 49 151 23456784", "+4915123456784"],
    ["DE", "49 (0)151 23456785", "+4915123456785"],
    ["US", "001 415 555 0138", "+14155550138"],
    // In 2019 Mexico dropped the 1 and the prefixes before it.
    ["MX", "+52 1 55 1234 5678", "+525512345678"],
    ["MX", "1 55 1234 5679", "+525512345679"],
    ["MX", "044 55 1234 5680", "+525512345680"],
    ["MX", "52 1 55 1234 5681", "+525512345681"],
    ["AR", "011 15-2345-6789", "+5491123456789"],
    ["AR", "9 351 234-5678", "+5493512345678"],
    ["BR", "(11) 96123-4567", "+5511961234567"],
    // Area codes that the tables do not know yet are accepted: the PIN proves the number.
    ["US", "+1 436 555 0132", "+14365550132"],
    ["US", "861-555-0132", "+18615550132"],
  ])("%s %j", async (countryCode, phoneNumber, e164) => {
    const { token: own } = await logInByPassword(stack, await stack.createUser());
    const { body: device, text } = await stack.api.registerPhone(own, { countryCode, phoneNumber });
    expect(device.phoneNumber).toMatch(/^\+•+\d{4}$/);
    expect(device.phoneNumber?.slice(-4)).toBe(e164.slice(-4));
    expect(text).not.toContain(e164.slice(2, -4));
    expect(await stack.pinTo(e164)).toMatch(/^\d{4}$/);
  });
});
