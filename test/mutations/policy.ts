import type { Mutation } from "./mutation.ts";

/** The rules of requirements, roles, links and Support. */
export const policyMutations: Mutation[] = [
  {
    mistake: "a member changes the policy",
    file: "core/sessions/roles.ts",
    find: "if (user?.role !== role)",
    replace: "if (!user)",
    noticedBy: ["test/e2e/policy.test.ts"],
  },
  {
    mistake: "the policy is changed without a recent login",
    file: "core/account/roll-out.ts",
    find: "  await requireRecentLogin(deps, session);\n  const account = await accountOf(deps, session);",
    replace: "  const account = await accountOf(deps, session);",
    noticedBy: ["test/attacks/stale-sessions.test.ts", "test/e2e/policy.test.ts"],
  },
  {
    mistake: "two administrators who change the policy at once both succeed",
    file: "store/postgres/accounts.ts",
    find: ".where(and(eq(accounts.id, accountId), eq(accounts.policyVersion, version)))",
    replace: ".where(and(eq(accounts.id, accountId)))",
    noticedBy: ["test/store/postgres/accounts.test.ts"],
  },
  {
    mistake: "the last administrator becomes a member",
    file: "store/postgres/accounts.ts",
    find: 'if (left?.count === 1) return "last_administrator";',
    replace: "",
    noticedBy: ["test/store/postgres/account-users.test.ts", "test/e2e/account-users.test.ts"],
  },
  {
    mistake: "an administrator can give a role to a user of another account",
    file: "store/postgres/accounts.ts",
    find: ".where(and(ofAccount, eq(users.id, userId)));",
    replace: ".where(eq(users.id, userId));",
    noticedBy: ["test/store/postgres/account-users.test.ts", "test/e2e/account-users.test.ts"],
  },
  {
    mistake: "the account's requirement overrides the user's own",
    file: "store/requirement.ts",
    find: "return user.requirement ? { requirement: user.requirement, enforceAfter: null } : account;",
    replace:
      "return user.requirement && !account ? { requirement: user.requirement, enforceAfter: null } : account;",
    noticedBy: ["test/api/identity-v2/settings.test.ts"],
  },
  {
    mistake: "a grace period may last for years",
    file: "core/account/roll-out.ts",
    find: "if (end.getTime() > now + LONGEST_GRACE_DAYS * DAY_MS)",
    replace: "if (end.getTime() < now)",
    noticedBy: ["test/e2e/policy.test.ts"],
  },
  {
    mistake: "a user whose own requirement is optional is reminded",
    file: "store/postgres/accounts.ts",
    find: " is distinct from 'optional'",
    replace: " is distinct from 'never'",
    noticedBy: ["test/store/postgres/account-users.test.ts"],
  },
  {
    mistake: "users can turn multi-factor authentication off although it is required",
    file: "core/devices/enable.ts",
    find: "if (isRequired(requirementOf(profile, config), clock.now()))",
    replace: "if (!profile)",
    noticedBy: ["test/api/identity-v2/settings.test.ts"],
  },
  {
    mistake: "a Cloud account that requires a second factor is linked",
    file: "core/account/links.ts",
    find: 'if (asksForMore || account.requirement !== "optional")',
    replace: "if (asksForMore)",
    noticedBy: ["test/e2e/links.test.ts"],
  },
  {
    mistake: "an account is linked to itself",
    file: "core/account/links.ts",
    find: "  if (owner.accountId === accountId)\n",
    replace: "  if (owner.accountId === accountId && owner.accountId === owner.id)\n",
    noticedBy: ["test/e2e/links.test.ts"],
  },
  {
    mistake: "a Support operator can unlock their own user",
    file: "core/support/support.ts",
    find: "  requireAnother(user, actor);\n",
    replace: "",
    noticedBy: ["test/e2e/support.test.ts"],
  },
];
