import type { Mutation } from "./mutation.ts";

/** The rules of the portal and of the Identity API. */
export const facesMutations: Mutation[] = [
  {
    mistake: "forms from other sites are accepted",
    file: "portal/layout/security.ts",
    find: "if (!own)",
    replace: 'if (!own && site === "never")',
    noticedBy: ["test/attacks/portal-forms.test.ts"],
  },
  {
    mistake: "pages may be framed",
    file: "portal/layout/security.ts",
    find: "  \"frame-ancestors 'none'\",\n",
    replace: "",
    noticedBy: ["test/attacks/portal-forms.test.ts"],
  },
  {
    mistake: "an administrator can change a user of another domain",
    file: "api/identity-v2/caller.ts",
    find: "if (user?.accountId !== session.accountId) throw noSuchUser();",
    replace: "if (!user) throw noSuchUser();",
    noticedBy: ["test/api/identity-v2/settings.test.ts", "test/api/identity-v2/devices.test.ts"],
  },
  {
    mistake: "an administrator of the domain can change a Support operator",
    file: "api/identity-v2/caller.ts",
    find: 'if (user.role === "support")',
    replace: 'if (user.role === "support" && user.id === session.userId)',
    noticedBy: ["test/api/identity-v2/settings.test.ts", "test/api/identity-v2/devices.test.ts"],
  },
  {
    mistake: "changes to another user need no recent login",
    file: "api/identity-v2/caller.ts",
    find: "  await requireRecentLogin(deps, session);\n  return { session, user };",
    replace: "  return { session, user };",
    noticedBy: ["test/api/identity-v2/settings.test.ts", "test/api/identity-v2/devices.test.ts"],
  },
  {
    mistake: "an administrator makes many bypass codes for somebody",
    file: "api/identity-v2/bypass-codes.ts",
    find: "if (others && (numberOfCodes > 1 || Number(validMs) > LONGEST_BY_OTHERS_MS))",
    replace: "if (others && Number(validMs) > LONGEST_BY_OTHERS_MS)",
    noticedBy: ["test/api/identity-v2/settings.test.ts"],
  },
  {
    mistake: "an administrator can validate a token of another domain",
    file: "api/identity-v2/tokens.ts",
    find: "if (session.accountId !== caller.accountId)",
    replace: "if (!session.accountId)",
    noticedBy: ["test/api/identity-v2/tokens.test.ts"],
  },
  {
    mistake: "a member can validate another user's token",
    file: "api/identity-v2/tokens.ts",
    find: '  await requireRole(deps, caller, "administrator");\n',
    replace: "",
    noticedBy: ["test/api/identity-v2/tokens.test.ts"],
  },
  {
    mistake: "a page waits no longer than a program, so a slow removal looks like an error",
    file: "temporal/flows.ts",
    find: "forPages: flowsOver(client, pageTimeLeft)",
    replace: "forPages: flowsOver(client)",
    noticedBy: ["test/portal/slow-day.test.ts"],
  },
  {
    mistake: "a removal that still runs is reported as an outage",
    file: "temporal/flows.ts",
    find: ").catch(goesOn(args.removalId));",
    replace: ");",
    noticedBy: ["test/portal/slow-day.test.ts"],
  },
  {
    mistake: "the answer of /v2.0 to a locked user does not name Support",
    file: "api/identity-v2/faults.ts",
    find: "= withSupport(problem, support);",
    replace: "= withSupport(problem, support && undefined);",
    noticedBy: ["test/api/identity-v2/login.test.ts"],
  },
];
