import type { Context } from "hono";
import { z } from "zod";
import type { CoreDeps } from "../../core/deps.ts";
import type { Challenge } from "../../core/login/challenge-view.ts";
import { type LoginResult, logIn, logInByApiKey } from "../../core/login/start-login.ts";
import { verifyPasscode } from "../../core/login/verify-passcode.ts";
import { Problem } from "../../core/problem.ts";
import { sessionOf } from "../../core/sessions/live-session.ts";
import { requireRole } from "../../core/sessions/roles.ts";
import { endSession, endSessionOfOther, type OpenedSession } from "../../core/sessions/sessions.ts";
import { ownerOf } from "../../store/ids.ts";
import { getMfaProfile } from "../../store/postgres/profiles.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { MINUTE_MS } from "../../units.ts";
import { clientInfoOf } from "../http/client.ts";
import { codeSchema, credentialsSchema } from "../http/inputs.ts";
import { allowStoringLogin } from "../http/stored-responses.ts";
import { describeAccess } from "./access.ts";
import { readBody } from "./body.ts";
import { callerOf, param } from "./caller.ts";
import { Fault, withFaults } from "./faults.ts";
import type { Routes } from "./routes.ts";

/** How long a client may answer a challenge (its session id), in ms. */
const CHALLENGE_MS = 5 * MINUTE_MS;

/**
 * This protocol's answers have no field for failed logins. The user sees them at the next login
 * elsewhere.
 */
const NO_FAILED_LOGINS = { showsFailedLogins: false };

/** It has no way to ask for a security key either, nor for its set-up. */
const COMPLETION = { ...NO_FAILED_LOGINS, setup: "refused" } as const;

/** Other fields that clients send beside the credentials are ignored. */
const loginSchema = z.object({
  auth: z
    .object({
      passwordCredentials: credentialsSchema.optional(),
      "RAX-KSKEY:apiKeyCredentials": z
        .object({ username: credentialsSchema.shape.username, apiKey: z.string().min(1).max(256) })
        .optional(),
      "RAX-AUTH:passcodeCredentials": z.object({ passcode: codeSchema }).optional(),
      "RAX-AUTH:scope": z.literal("SETUP-MFA").optional(),
    })
    .refine(
      ({ "RAX-AUTH:scope": _, ...credentials }) =>
        Object.values(credentials).filter(Boolean).length === 1,
      "Send one of passwordCredentials, RAX-KSKEY:apiKeyCredentials, RAX-AUTH:passcodeCredentials.",
    ),
});

/** `POST /tokens` in its two steps, and how tokens are validated and revoked. */
export function tokenRoutes(deps: CoreDeps): Routes {
  return {
    "/v2.0/tokens": {
      POST: async (c) => {
        const { auth } = await readBody(c, loginSchema);
        const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
        const passcode = auth["RAX-AUTH:passcodeCredentials"]?.passcode;
        if (passcode !== undefined) return answerChallenge(c, deps, passcode);
        const key = auth["RAX-KSKEY:apiKeyCredentials"];
        if (key) return answer(c, deps, await logInByApiKey(deps, key, origin));
        const setup = auth["RAX-AUTH:scope"] ? "only" : "refused";
        const terms = {
          challengeMs: CHALLENGE_MS,
          setup,
          keys: false,
          ...NO_FAILED_LOGINS,
        } as const;
        const password = credentialsSchema.parse(auth.passwordCredentials);
        return answer(c, deps, await logIn(deps, password, origin, terms));
      },
      DELETE: async (c) => {
        await endSession(deps, await callerOf(c, deps), "signed_out");
        return c.body(null, 204);
      },
    },
    "/v2.0/tokens/:tokenId": {
      GET: async (c) => {
        const token = param(c, "tokenId");
        const { amr, expiresAt, userId } = await sessionBehind(
          deps,
          await callerOf(c, deps),
          token,
        );
        const opened = { token, amr, expiresAt: new Date(expiresAt).toISOString() };
        return c.json(describeAccess(await profileOf(deps, userId), opened), 200);
      },
      DELETE: async (c) => {
        const caller = await callerOf(c, deps);
        const session = await sessionBehind(deps, caller, param(c, "tokenId"));
        if (session.userId === caller.userId) await endSession(deps, session, "signed_out");
        else
          await endSessionOfOther(
            deps,
            caller,
            session,
            clientInfoOf(c, deps.config.TRUSTED_PROXIES),
          );
        return c.body(null, 204);
      },
    },
  };
}

async function answer(c: Context, deps: CoreDeps, result: LoginResult) {
  allowStoringLogin(c, result);
  if (result.status === "challenge") return sendChallenge(c, result.challenge);
  return sendAccess(c, deps, result.session);
}

/** The only response with `WWW-Authenticate`: clients take any response with it for a challenge. */
function sendChallenge(c: Context, { id, method }: Challenge) {
  const factor = method === "sms" ? "PASSCODE" : "OTPPASSCODE";
  const message = "Additional authentication credentials required";
  return c.json({ unauthorized: { code: 401, message } }, 401, {
    "www-authenticate": `OS-MF sessionId='${id}', factor='${factor}'`,
  });
}

async function answerChallenge(c: Context, deps: CoreDeps, passcode: string) {
  const sessionId = c.req.header("x-sessionid");
  if (!sessionId)
    throw new Fault("badRequest", "Send the session id of the first step as X-SessionId.");
  const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
  const verified = await withFaults(
    deps,
    {
      account_locked: "forbidden",
      challenge_not_found: "unauthorized",
      challenge_expired: "unauthorized",
      illegal_transition: "unauthorized",
      key_required: "forbidden",
      passcode_expired: "unauthorized",
      passcode_already_used: "unauthorized",
      passcode_rejected: "unauthorized",
      passcode_replaced: "unauthorized",
    },
    verifyPasscode(deps, sessionId, passcode, origin, COMPLETION),
  );
  return sendAccess(c, deps, verified.session);
}

async function sendAccess(c: Context, deps: CoreDeps, session: OpenedSession) {
  const profile = await profileOf(deps, ownerOf(session.id) ?? "");
  return c.json(describeAccess(profile, session), 200);
}

async function profileOf({ db }: CoreDeps, userId: string) {
  const profile = await getMfaProfile(db, userId);
  if (!profile) throw new Problem("unauthenticated");
  return profile;
}

/**
 * The live session of a token: the caller's own, or one of the domain that the caller administers.
 * Throws `itemNotFound` if no such session is live, and `forbidden` if it is another user's.
 */
async function sessionBehind(deps: CoreDeps, caller: Session, token: string): Promise<Session> {
  const none = "itemNotFound";
  const session = await withFaults(
    deps,
    { unauthenticated: none, session_expired: none, session_revoked: none, setup_only: none },
    sessionOf(deps, token),
  );
  if (session.userId === caller.userId) return session;
  await requireRole(deps, caller, "administrator");
  if (session.accountId !== caller.accountId)
    throw new Problem("forbidden", "The token belongs to another domain.");
  return session;
}
