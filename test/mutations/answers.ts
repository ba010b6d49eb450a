import type { Mutation } from "./mutation.ts";

/** The rules of stored answers. */
export const answersMutations: Mutation[] = [
  {
    mistake: "an idempotency key also works for another request",
    file: "store/redis/scripts/idempotency.ts",
    find: "if fingerprint and fingerprint ~= ARGV[1] then",
    replace: "if false then",
    noticedBy: ["test/store/redis/idempotency.test.ts"],
  },
  {
    mistake: "a session that has ended still gets its stored answer",
    file: "api/http/stored-responses.ts",
    find: "    if (error instanceof Problem && error.status === 401) return undefined;",
    replace:
      '    if (error instanceof Problem && error.status === 401) return { is: "session " + token.split(".")[0] };',
    noticedBy: ["test/attacks/replay.test.ts", "test/attacks/kept-answers.test.ts"],
  },
  {
    mistake: "the same key gets another user's stored answer",
    file: "api/http/stored-responses.ts",
    find: 'hashCode(config.CODE_KEY, "idempotency", caller.is, ...request)',
    replace: 'hashCode(config.CODE_KEY, "idempotency", ...request)',
    noticedBy: ["test/api/http/idempotency.test.ts"],
  },
  {
    mistake: "a temporary refusal is stored for a day",
    file: "api/http/stored-responses.ts",
    find: "const differs = status === 429 || status === 413 || status >= 500;",
    replace: "const differs = status >= 500;",
    noticedBy: ["test/api/http/idempotency.test.ts"],
  },
];
