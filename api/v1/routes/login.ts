import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { CoreDeps } from "../../../core/deps.ts";
import { chooseMethod, getChallenge, resendPasscode } from "../../../core/login/challenges.ts";
import { keyOptions, verifyKey } from "../../../core/login/keys.ts";
import { logInByPasskey, offerPasskey } from "../../../core/login/passkey.ts";
import { logIn } from "../../../core/login/start-login.ts";
import { verifyPasscode } from "../../../core/login/verify-passcode.ts";
import { clientInfoOf } from "../../http/client.ts";
import { assertionResponseSchema, requestOptionsSchema } from "../../http/credentials.ts";
import { codeSchema, credentialsSchema, methodSchema } from "../../http/inputs.ts";
import { allowStoringLogin } from "../../http/stored-responses.ts";
import { challengeSchema, sessionSchema } from "../answers.ts";
import { idParam, json, post, problems } from "../openapi.ts";

const tags = ["Login"];

/** The problems of a challenge that accepts nothing more. */
const ENDED = [
  "challenge_not_found",
  "challenge_expired",
  "illegal_transition",
  "account_locked",
] as const;

const failedAttemptsSchema = z
  .object({ count: z.int(), since: z.iso.datetime() })
  .openapi("FailedAttempts", {
    description: "Wrong passwords and passcodes since your last login; shown once",
  });

const loginResult = z
  .discriminatedUnion("status", [
    z.object({
      status: z.literal("authenticated"),
      session: sessionSchema,
      multiFactorRequiredFrom: z.iso.datetime().optional().openapi({
        description: "When your account begins to require a second factor; only if you have none",
      }),
      failedAttempts: failedAttemptsSchema.optional(),
    }),
    z.object({ status: z.literal("challenge"), challenge: challengeSchema }),
    z.object({ status: z.literal("setup_required"), session: sessionSchema }),
  ])
  .openapi("LoginResult");

const authenticatedSchema = z.object({
  status: z.literal("authenticated"),
  session: sessionSchema,
  failedAttempts: failedAttemptsSchema.optional(),
});

const completedSchema = authenticatedSchema.extend({
  status: z.enum(["authenticated", "setup_required"]),
  recoveryCodesRemaining: z.int().optional(),
});

const answerSchema = z.union([
  z.object({ passcode: codeSchema }),
  z.object({ credential: assertionResponseSchema }),
]);

const login = createRoute({
  method: "post",
  path: "/v1/login",
  tags,
  summary: "Log in with user name and password",
  request: post(credentialsSchema),
  responses: {
    200: json(loginResult, "A session, a challenge to be answered, or a session for set-up only"),
    ...problems(
      { body: true, post: true },
      "invalid_credentials",
      "account_locked",
      "login_throttled",
      "logins_under_way",
      "too_many_requests",
    ),
  },
});

const challenge = createRoute({
  method: "get",
  path: "/v1/login/challenges/{id}",
  tags,
  summary: "The state of a login challenge",
  request: { params: idParam },
  responses: {
    200: json(challengeSchema, "The challenge; `next` names what may be called"),
    ...problems({}, "challenge_not_found"),
  },
});

const webauthn = createRoute({
  method: "post",
  path: "/v1/login/challenges/{id}/webauthn",
  tags,
  summary: "What the browser needs to ask for a security key",
  request: { params: idParam, ...post() },
  responses: {
    200: json(
      z.object({ options: requestOptionsSchema }),
      "For `navigator.credentials.get()`; they can be answered once",
    ),
    ...problems({ post: true }, ...ENDED, "method_not_configured", "webauthn_unavailable"),
  },
});

const passkeyOptions = createRoute({
  method: "post",
  path: "/v1/login/passkey/options",
  tags,
  summary: "What the browser needs to offer a login by passkey",
  request: post(),
  responses: {
    200: json(
      z.object({
        id: z.string(),
        options: requestOptionsSchema,
        expiresAt: z.iso.datetime(),
      }),
      "For `navigator.credentials.get()`; they can be answered once. Nothing is stored",
    ),
    ...problems({ post: true }, "webauthn_unavailable"),
  },
});

const passkey = createRoute({
  method: "post",
  path: "/v1/login/passkey",
  tags,
  summary: "Log in with a passkey alone, which its user unlocked",
  request: post(z.object({ id: z.string().min(1).max(256), credential: assertionResponseSchema })),
  responses: {
    200: json(authenticatedSchema, "A session"),
    ...problems(
      { body: true, post: true },
      "passkey_rejected",
      "passkey_needs_password",
      "passkey_login_off",
      "webauthn_options_used",
      "webauthn_unavailable",
      ...ENDED,
      "login_throttled",
      "too_many_requests",
    ),
  },
});

const verify = createRoute({
  method: "post",
  path: "/v1/login/challenges/{id}/verify",
  tags,
  summary: "Answer a challenge with a passcode, a recovery code or a security key",
  request: { params: idParam, ...post(answerSchema) },
  responses: {
    200: json(
      completedSchema,
      "A session. `setup_required`: your account requires a security key, and you have none yet",
    ),
    ...problems(
      { body: true, post: true },
      "challenge_not_found",
      "passcode_rejected",
      "passcode_already_used",
      "passcode_replaced",
      "passcode_expired",
      "challenge_expired",
      "illegal_transition",
      "account_locked",
      "credential_rejected",
      "webauthn_options_used",
      "webauthn_unavailable",
      "key_required",
    ),
  },
});

const resend = createRoute({
  method: "post",
  path: "/v1/login/challenges/{id}/resend",
  tags,
  summary: "Send a new passcode; this cancels the older one",
  request: { params: idParam, ...post() },
  responses: {
    202: json(challengeSchema, "The challenge"),
    ...problems({ post: true }, ...ENDED, "method_not_configured", "send_limit"),
  },
});

const method = createRoute({
  method: "post",
  path: "/v1/login/challenges/{id}/method",
  tags,
  summary: "Use another configured method for this one login",
  request: { params: idParam, ...post(z.object({ method: methodSchema })) },
  responses: {
    200: json(
      challengeSchema,
      "The challenge. If you go back to SMS within 30 seconds, no new passcode is sent: the " +
        "last one still works, and `state` is `awaiting_passcode`",
    ),
    ...problems({ body: true, post: true }, ...ENDED, "method_not_configured"),
  },
});

/** Routes of a login's two steps. */
export function loginRoutes(app: OpenAPIHono, deps: CoreDeps) {
  const proxies = deps.config.TRUSTED_PROXIES;

  app.openapi(login, async (c) =>
    c.json(
      allowStoringLogin(c, await logIn(deps, c.req.valid("json"), clientInfoOf(c, proxies))),
      200,
    ),
  );
  app.openapi(challenge, async (c) =>
    c.json(await getChallenge(deps, c.req.valid("param").id), 200),
  );
  app.openapi(verify, async (c) => {
    const { id } = c.req.valid("param");
    const answer = c.req.valid("json");
    const origin = clientInfoOf(c, proxies);
    const completed = await ("credential" in answer
      ? verifyKey(deps, id, answer.credential, origin)
      : verifyPasscode(deps, id, answer.passcode, origin));
    const isSetup = completed.session.scope === "mfa_setup";
    const status = isSetup ? ("setup_required" as const) : ("authenticated" as const);
    return c.json({ status, ...completed }, 200);
  });
  app.openapi(webauthn, async (c) =>
    c.json({ options: await keyOptions(deps, c.req.valid("param").id) }, 200),
  );
  app.openapi(passkeyOptions, async (c) => c.json(await offerPasskey(deps), 200));
  app.openapi(passkey, async (c) => {
    const given = c.req.valid("json");
    const authenticated = await logInByPasskey(deps, given, clientInfoOf(c, proxies));
    const answer = { status: "authenticated" as const, ...authenticated };
    return c.json(allowStoringLogin(c, answer), 200);
  });
  app.openapi(resend, async (c) =>
    c.json(await resendPasscode(deps, c.req.valid("param").id), 202),
  );
  app.openapi(method, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await chooseMethod(deps, id, c.req.valid("json").method), 200);
  });
}
