import type { Mutation } from "./mutation.ts";

/** The rules of kept answers. */
export const answersMutations: Mutation[] = [
  {
    mistake: "a key is good for another request",
    file: "store/redis/idempotency.ts",
    find: "if fingerprint ~= ARGV[1] then return {'mismatch'} end",
    replace: "",
    noticedBy: ["test/store/redis/idempotency.test.ts"],
  },
  {
    mistake: "the answer of a session that has ended is given again",
    file: "api/idempotency.ts",
    find: 'if (claimed.outcome === "done" && hasToken(c) && !(await isLive(deps, c))) return next();',
    replace: "",
    noticedBy: ["test/api/idempotency.test.ts"],
  },
  {
    mistake: "another user's answer is given for the same key",
    file: "api/idempotency.ts",
    find: 'const parts = [...caller.map((value) => value ?? ""), c.req.path, key];',
    replace: 'const parts = [...caller.map(() => ""), c.req.path, key];',
    noticedBy: ["test/api/idempotency.test.ts"],
  },
  {
    mistake: "a refusal for now is kept for a day",
    file: "api/kept-answers.ts",
    find: "if (status === 429 || status === 413 || status >= 500)",
    replace: "if (status >= 500)",
    noticedBy: ["test/api/idempotency.test.ts"],
  },
];
