import type { Mutation } from "./mutation.ts";

const noticedBy = ["test/attacks/keeping-others-out.test.ts"];

/** Who may end what others have, and how often. */
export const keepingOutMutations: Mutation[] = [
  {
    mistake: "an old session ends the owner's other sessions and logins",
    file: "core/sessions/sessions.ts",
    find: "  await requireRecentLogin(deps, session);\n  const { redis, clock } = deps;\n",
    replace: "  const { redis, clock } = deps;\n",
    noticedBy,
  },
  {
    mistake: "an old session ends one other session",
    file: "core/sessions/sessions.ts",
    find: "  if (id !== session.id) await requireRecentLogin(deps, session);\n",
    replace: "",
    noticedBy,
  },
  {
    mistake: "logins under way are ended without a trace",
    file: "core/sessions/sessions.ts",
    find: "if (ended + underWay > 0)",
    replace: "if (ended > 0)",
    noticedBy,
  },
  {
    mistake: "an administrator's old session ends a user's token",
    file: "core/sessions/sessions.ts",
    find: "  await requireRecentLogin(deps, caller);\n",
    replace: "",
    noticedBy,
  },
  {
    mistake: "the same role given again ends every session",
    file: "core/account/users.ts",
    find: 'if (outcome === "changed") await endSessions',
    replace: "if (outcome) await endSessions",
    noticedBy,
  },
  {
    mistake: "a factor required again ends the session that sets it up",
    file: "core/account/user-requirement.ts",
    find: "  if (isChanged && !hasIt) return endSessions",
    replace: "  if (!hasIt) return endSessions",
    noticedBy,
  },
  {
    mistake: "a webhook's event is sent again by an old session",
    file: "core/webhooks/deliveries.ts",
    find: "  await requireRecentLogin(deps, session);\n",
    replace: "",
    noticedBy,
  },
  {
    mistake: "sending an event again disables its webhook within seconds",
    file: "activities/webhooks.ts",
    find: "if (found && found.delivery.createdAt.getTime() > failingSince) return true;",
    replace: "if (!found) return true;",
    noticedBy,
  },
  {
    mistake: "a stored response is found by a header that its API does not read",
    file: "api/http/idempotency.ts",
    find: "token: c.req.path.startsWith(IDENTITY)\n    ? c.req.header",
    replace: 'token: c.req.header("x-auth-token")\n    ? c.req.header',
    noticedBy,
  },
  {
    mistake: "a login by API key drops the set-up session",
    file: "store/redis/scripts/sessions.ts",
    find: "redis.call('ZADD', index, rank, sessionId)",
    replace: "redis.call('ZADD', index, expiresAt, sessionId)",
    noticedBy,
  },
  {
    mistake: "a right password starts logins without end",
    file: "core/login/start-login.ts",
    find: '  if (terms.proof === "pwd") await spendRightPassword(deps, user.id);\n',
    replace: "",
    noticedBy,
  },
  {
    mistake: "administrators of one account add users without end",
    file: "core/account/users.ts",
    find: "const spent = await spendNewUser(deps, accountId);",
    replace: "const spent = { giveBack: async () => {} } as unknown as Spent;",
    noticedBy,
  },
  {
    mistake: "an export goes on after the logout",
    file: "core/audit.ts",
    find: "        await guard?.mayGoOn();\n",
    replace: "",
    noticedBy,
  },
  {
    mistake: "exports that nobody reads are started without end",
    file: "store/places.ts",
    find: "if (now >= most) return undefined;",
    replace: "",
    noticedBy,
  },
];
