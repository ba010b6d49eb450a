import type { Mutation } from "./mutation.ts";

/** Ten mistakes of every kind that are noticed in seconds: the short form in `npm test`. */
export const quickMutations: Mutation[] = [
  {
    mistake: "numeric codes lose their leading zeros",
    file: "store/codes.ts",
    find: '.padStart(digits, "0")',
    replace: "",
    noticedBy: ["test/store/codes.test.ts"],
  },
  {
    mistake: "a code's hash does not depend on what it is for",
    file: "store/codes.ts",
    find: "hmac.update(length).update(bytes);",
    replace: "hmac.update(bytes);",
    noticedBy: ["test/store/codes.test.ts", "test/store/codes.property.test.ts"],
  },
  {
    mistake: "sealed text of one record can be opened for another",
    file: "store/sealing.ts",
    find: "  decipher.setAAD(Buffer.from(recordId));\n",
    replace: '  decipher.setAAD(Buffer.from(""));\n',
    noticedBy: ["test/store/sealing.test.ts"],
  },
  {
    mistake: "a recovery code typed with other separators is refused",
    file: "store/recovery-codes.ts",
    find: "/[\\p{P} ]/gu",
    replace: "/-/g",
    noticedBy: ["test/store/recovery-codes.test.ts"],
  },
  {
    mistake: "a user name in other letter case is another user",
    file: "store/usernames.ts",
    find: "    .toLowerCase()\n",
    replace: "",
    noticedBy: ["test/store/usernames.test.ts"],
  },
  {
    mistake: "a phone's removal does not record the end of its enrollment",
    file: "machines/enrollment.ts",
    find: 'removing: { tags: "callers_wait", entry: "removeDevice", on: { DEVICE_GONE: "removed" } },',
    replace: 'removing: { tags: "callers_wait", on: { DEVICE_GONE: "removed" } },',
    noticedBy: [
      "test/machines/sms-enrollment.test.ts",
      "test/machines/otp-enrollment.test.ts",
      "test/machines/every-chart.test.ts",
    ],
  },
  {
    mistake: "a wrong passcode does not count towards the lock",
    file: "store/redis/scripts/attempts.ts",
    find: "local count = redis.call('INCR', failures)",
    replace: "local count = tonumber(redis.call('GET', failures) or 0)",
    noticedBy: ["test/store/redis/second-step/attempts.test.ts"],
  },
  {
    mistake: "a PIN still works after its last wrong try",
    file: "store/redis/scripts/pins.ts",
    find: "remaining > 0 and 'rejected' or 'voided'",
    replace: "remaining > -1 and 'rejected' or 'voided'",
    noticedBy: ["test/store/redis/second-step/pins.test.ts"],
  },
  {
    mistake: "a repeated request starts while the first one runs",
    file: "store/redis/scripts/idempotency.ts",
    find: "    return {'in_progress'}\n",
    replace: "    return {'claimed'}\n",
    noticedBy: ["test/store/redis/idempotency.test.ts"],
  },
  {
    mistake: "IDs can be guessed",
    file: "store/ids.ts",
    find: 'randomBytes(12).toString("hex")',
    replace: '"0".repeat(24)',
    noticedBy: ["test/store/ids.test.ts"],
  },
];
