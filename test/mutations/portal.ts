import type { Mutation } from "./mutation.ts";

const FORMS = ["test/portal/forms.test.ts"];

/** The rules of the pages: what forms say and keep, what they ask first, where they lead. */
export const portalMutations: Mutation[] = [
  {
    mistake: "what one user's form said is shown to the next user of the browser",
    file: "portal/flash.ts",
    find: "return flash.userId === userOfCookie(c, deps) ? flash : undefined;",
    replace: "return flash;",
    noticedBy: FORMS,
  },
  {
    mistake: "a message is told again by a reload",
    file: "portal/flash.ts",
    find: 'else if (shown && c.res.status === 200) setOwnCookie(c, deps, kind, "", 0);',
    replace: "else if (shown) continue;",
    noticedBy: FORMS,
  },
  {
    mistake: "a password that was typed is shown again",
    file: "portal/form.ts",
    find: '  "password",\n',
    replace: "",
    noticedBy: FORMS,
  },
  {
    mistake: "a form that is shown again has lost what was typed",
    file: "portal/parts.tsx",
    find: "value={faults.typed?.[name] ?? value ?? undefined}",
    replace: "value={value ?? undefined}",
    noticedBy: FORMS,
  },
  {
    mistake: "the account's form selects Optional again after an error",
    file: "portal/account.tsx",
    find: "(faults.typed?.requirement ?? policy.requirement)",
    replace: "policy.requirement",
    noticedBy: FORMS,
  },
  {
    mistake: "it is required of everyone at once without a question",
    file: "portal/account.tsx",
    find: '!isEnforced(policy) && !ticked(c, "sure")',
    replace: '!isEnforced(policy) && ticked(c, "sure")',
    noticedBy: FORMS,
  },
  {
    mistake: "the form proposes no grace period",
    file: "portal/account.tsx",
    find: "const USUAL_GRACE_DAYS = 14;",
    replace: "const USUAL_GRACE_DAYS = 0;",
    noticedBy: FORMS,
  },
  {
    mistake: "a form opens for a session that is not recent",
    file: "portal/session.ts",
    find: "  await requireFresh(deps, session);\n",
    replace: "",
    noticedBy: FORMS,
  },
  {
    mistake: "an administrator's form opens for a session that is not recent",
    file: "portal/roles.ts",
    find: "  await requireFresh(deps, who.session);\n",
    replace: "",
    noticedBy: FORMS,
  },
  {
    mistake: "the query of a page is lost by a login",
    file: "portal/refusal.tsx",
    find: "return c.req.path + new URL(c.req.url).search;",
    replace: "return c.req.path;",
    noticedBy: FORMS,
  },
  {
    mistake: "where to go after a login may be another site",
    file: "portal/form.ts",
    find: 'return origin === base && /^\\/(?!\\/)[\\w\\-/]*$/.test(pathname) ? pathname + search : "/";',
    replace: "return origin === base ? pathname + search : address;",
    noticedBy: ["test/attacks/portal-forms.test.ts"],
  },
  {
    mistake: "the destination of a set-up at login is forgotten",
    file: "portal/login.tsx",
    find: 'const goal = reason === "device_verified" ? c.get("goal")?.at : undefined;',
    replace: "const goal = undefined;",
    noticedBy: FORMS,
  },
  {
    mistake: "a browser without cookies is led in circles",
    file: "portal/login.tsx",
    find: 'if (ticked(c, "once") && !keepsCookies(c, deps))',
    replace: 'if (ticked(c, "never") && !keepsCookies(c, deps))',
    noticedBy: FORMS,
  },
  {
    mistake: "ending all other sessions leaves them",
    file: "store/redis/sessions.ts",
    find: "redis.call('HSET', session, 'userEpoch', redis.call('HINCRBY', revocation, 'epoch', 1))",
    replace: "redis.call('HSET', session, 'userEpoch', userEpoch)",
    noticedBy: ["test/api/sessions.test.ts"],
  },
  {
    mistake: "a clock that is off is not told at a set-up",
    file: "api/otp.ts",
    find: "const CLOCK_OFF_S = 600;",
    replace: "const CLOCK_OFF_S = 30;",
    noticedBy: ["test/api/clock-off.test.ts"],
  },
];
