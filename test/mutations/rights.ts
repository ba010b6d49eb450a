import type { Mutation } from "./mutation.ts";

/**
 * What a session may do: recent logins, passwords, keys, roles that need a second factor, links.
 */
export const rightsMutations: Mutation[] = [
  {
    mistake: "a request that waited is done although its session has ended",
    file: "core/sessions/live-session.ts",
    find: "  liveOf(await recheckSession(redis, session, { now: clock.now(), idleMs }));\n",
    replace: "  await recheckSession(redis, session, { now: clock.now(), idleMs });\n",
    noticedBy: ["test/attacks/outlived-rights.test.ts"],
  },
  {
    mistake: "a request that waited is done although its user has lost the role",
    file: "core/sessions/live-session.ts",
    find: "if (user?.role !== session.role)",
    replace: "if (!user)",
    noticedBy: ["test/attacks/outlived-rights.test.ts"],
  },
  {
    mistake: "the administrator's role is checked before the lock on the account's row",
    file: "core/account/as-administrator.ts",
    find: "  return holdingAccount(deps.db, session.accountId, lock, async (tx) => {\n    await requireStillLive({ ...deps, db: tx }, session);\n    return write(tx);\n  });",
    replace:
      "  return requireStillLive(deps, session).then(() =>\n    holdingAccount(deps.db, session.accountId, lock, write),\n  );",
    noticedBy: ["test/attacks/rights-behind-rows.test.ts", "test/attacks/outlived-rights.test.ts"],
  },
  {
    mistake:
      "a demoted administrator can take the role back, because the role is checked after the write",
    file: "core/account/as-administrator.ts",
    find: "    await requireStillLive({ ...deps, db: tx }, session);\n    return write(tx);",
    replace:
      "    const done = await write(tx);\n    await requireStillLive({ ...deps, db: tx }, session);\n    return done;",
    noticedBy: ["test/attacks/rights-behind-rows.test.ts"],
  },
  {
    mistake: "a user who is no longer an administrator can start a roll-out",
    file: "core/account/roll-out.ts",
    find: "  await mayStill();\n  const supersedes",
    replace: "  const supersedes",
    noticedBy: ["test/attacks/rights-behind-rows.test.ts", "test/attacks/outlived-rights.test.ts"],
  },
  {
    mistake: "a request that waited for the user's row sends a PIN although its session has ended",
    file: "core/devices/sms.ts",
    find: "      await requireStillLive({ ...deps, db: tx }, session);\n",
    replace: "",
    noticedBy: ["test/attacks/rights-behind-rows.test.ts", "test/attacks/outlived-rights.test.ts"],
  },
  {
    mistake:
      "a request that waited for the user's row changes the password although its session has ended",
    file: "core/users/password.ts",
    find: "    await requireStillActing({ ...deps, db: tx }, actor);\n",
    replace: "",
    noticedBy: ["test/attacks/rights-behind-rows.test.ts", "test/attacks/outlived-rights.test.ts"],
  },
  {
    mistake: "a request that waited for the user's row ends a lock although its session has ended",
    file: "core/support/support.ts",
    find: "    await requireStillActing({ ...deps, db: tx }, actor);\n",
    replace: "",
    noticedBy: ["test/attacks/rights-behind-rows.test.ts", "test/attacks/outlived-rights.test.ts"],
  },
  {
    mistake: "Support's look-up from another address is not recorded",
    file: "core/support/support.ts",
    find: '"look", sessionId, origin.ip ?? "")',
    replace: '"look", sessionId)',
    noticedBy: ["test/e2e/support.test.ts"],
  },
  {
    mistake: "the activity shows a raw code for a link whose session had ended",
    file: "portal/account/event-words.ts",
    find: '  session_revoked: "the session that asked was ended",\n',
    replace: "",
    noticedBy: ["test/attacks/linking.test.ts"],
  },
  {
    mistake: "sessions end although the password was not changed",
    file: "core/users/password.ts",
    find: '    await forgetAddressesOf(deps, username, actor.origin);\n    await endSessions(deps, replacement.userId, "password_changed");\n',
    replace:
      '    await endSessions(deps, replacement.userId, "password_changed");\n    await forgetAddressesOf(deps, username, actor.origin);\n',
    noticedBy: ["test/core/users/password.test.ts"],
  },
  {
    mistake: "an old session can get a new secret, request PINs and verify devices",
    file: "core/devices/devices.ts",
    find: "  await requireRecentLogin(deps, session);\n",
    replace: "",
    noticedBy: ["test/attacks/stale-sessions.test.ts", "test/attacks/routes.test.ts"],
  },
  {
    mistake: "verifying an app makes an old session count as a recent login",
    file: "store/redis/scripts/sessions.ts",
    find: "'amr', amr, 'userEpoch', current)",
    replace: "'amr', amr, 'authenticatedAt', now, 'userEpoch', current)",
    noticedBy: [
      "test/store/redis/sessions/sessions.test.ts",
      "test/attacks/stale-sessions.test.ts",
    ],
  },
  {
    mistake: "an API key counts as its owner's login",
    file: "core/sessions/recent-login.ts",
    find: 'if (!recent || !["pwd", "user"].some((proof) => amr.includes(proof))) throw reauthenticate();',
    replace: "if (!recent || amr.length === 0) throw reauthenticate();",
    noticedBy: ["test/attacks/api-keys.test.ts"],
  },
  {
    mistake: "a login of yesterday counts as recent",
    file: "core/sessions/recent-login.ts",
    find: 'if (!recent || !["pwd", "user"].some((proof) => amr.includes(proof))) throw reauthenticate();',
    replace:
      'if (!["pwd", "user"].some((proof) => amr.includes(proof)) || (recent && false)) throw reauthenticate();',
    noticedBy: ["test/attacks/stale-sessions.test.ts", "test/attacks/routes.test.ts"],
  },
  {
    mistake:
      "an old session can turn multi-factor authentication on, where that is a separate call",
    file: "core/devices/enable.ts",
    find: "  requireRecentProof(deps, session);\n",
    replace: "",
    noticedBy: ["test/attacks/routes.test.ts"],
  },
  {
    mistake:
      "an old session can turn multi-factor authentication off, where that is a separate call",
    file: "core/devices/enable.ts",
    find: "  requireRecentLoginWith(deps, session, configuredMethods(profile.devices));\n",
    replace: "",
    noticedBy: ["test/api/identity-v2/settings.test.ts"],
  },
  {
    mistake: "a user's own requirement logs out a user with a device",
    file: "core/account/user-requirement.ts",
    find: "if (methods.length > 0 || !isRequired(requirementOf(profile, config), now)) return undefined;",
    replace: "if (!isRequired(requirementOf(profile, config), now)) return undefined;",
    noticedBy: ["test/api/identity-v2/settings.test.ts"],
  },
  {
    mistake: "Support logs in by a password alone",
    file: "store/requirement.ts",
    find: 'return role === "support" || (role',
    replace: "return (role",
    noticedBy: ["test/attacks/one-factor-operators.test.ts"],
  },
  {
    mistake: "ADMINISTRATORS_NEED_MFA has no effect",
    file: "store/requirement.ts",
    find: 'role === "administrator" && ADMINISTRATORS_NEED_MFA',
    replace: "ADMINISTRATORS_NEED_MFA && false",
    noticedBy: ["test/attacks/one-factor-operators.test.ts"],
  },
  {
    mistake: "an API key logs in a Support operator where the account exempts keys",
    file: "core/login/start-login.ts",
    find: " && !roleNeedsMfa(profile.user, config)",
    replace: "",
    noticedBy: ["test/attacks/one-factor-operators.test.ts"],
  },
  {
    mistake: "an older session without a second factor works for Support",
    file: "core/sessions/roles.ts",
    find: "  if (roleNeedsMfa(user, config) && !hasSecondFactor(session)) throw reauthenticate();\n",
    replace: "",
    noticedBy: ["test/attacks/one-factor-operators.test.ts"],
  },
  {
    mistake: "Support's pages work without a recent login",
    file: "portal/support/support.tsx",
    find: "    await requireRecentLogin(deps, who.session);\n",
    replace: "",
    noticedBy: ["test/attacks/routes.test.ts"],
  },
  {
    mistake: "an old session can link accounts",
    file: "core/account/links.ts",
    find: "  await requireRecentLogin(deps, session);\n",
    replace: "",
    noticedBy: ["test/e2e/links.test.ts", "test/attacks/routes.test.ts"],
  },
  {
    mistake: "any member's password links a Cloud account",
    file: "core/account/links.ts",
    find: "if (!administrators.some(({ user }) => user.id === owner.id))",
    replace: "if (administrators.length === 0)",
    noticedBy: ["test/e2e/links.test.ts"],
  },
  {
    mistake: "a Cloud account is linked although its administrator must have a second factor",
    file: "core/account/links.ts",
    find: 'requirementOf({ user, account }, config).requirement === "required",',
    replace: "requirementOf({ user, account }, config) === undefined,",
    noticedBy: ["test/e2e/links.test.ts"],
  },
  {
    mistake: "a refused link with the right password is not recorded for its owner",
    file: "core/account/links.ts",
    find: "if (error instanceof Problem && error.status < 500)",
    replace: "if (error instanceof Problem && error.status < 0)",
    noticedBy: ["test/e2e/links.test.ts"],
  },
  {
    mistake: "a link and a verification at once both succeed",
    file: "store/postgres/accounts.ts",
    find: '    .orderBy(users.id)\n    .for("update");',
    replace: "    .orderBy(users.id);",
    noticedBy: ["test/attacks/linking.test.ts"],
  },
];
