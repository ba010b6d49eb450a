import WebAuthnEmulator, {
  AuthenticatorEmulator,
  PasskeysCredentialsMemoryRepository,
} from "nid-webauthn-emulator";
import type { KeySetup } from "../../core/devices/webauthn.ts";
import type { Authenticated } from "../../core/login/complete-challenge.ts";
import type { PasskeyRequest } from "../../core/login/passkey.ts";
import type { Role } from "../../store/postgres/schema.ts";
import type { ApiClient } from "./client.ts";
import type { Person } from "./people.ts";
import { isDone, logInByPassword, type Stage, startChallenge } from "./scenarios.ts";
import type { Stack } from "./stack.ts";

/** The page that asks for keys in tests without a browser. */
export const ORIGIN = "https://login.example.com";

/** The settings of a stack whose keys work on `ORIGIN`. */
export const KEY_SETTINGS = { WEBAUTHN_RP_ID: "example.com", WEBAUTHN_ORIGINS: ORIGIN };

type Parameters = ConstructorParameters<typeof AuthenticatorEmulator>[0];
type Emulated = { create: WebAuthnEmulator["createJSON"]; get: WebAuthnEmulator["getJSON"] };
type CreationOptions = globalThis.Parameters<Emulated["create"]>[1];
type RequestOptions = globalThis.Parameters<Emulated["get"]>[1];

/** A security key that another library emulates. It holds its user's passkeys. */
export function newKey(parameters?: Parameters) {
  // Otherwise all keys of this process would share one memory.
  const credentialsRepository = new PasskeysCredentialsMemoryRepository();
  const emulator = new WebAuthnEmulator(
    new AuthenticatorEmulator({ credentialsRepository, ...parameters }),
  );
  return {
    emulator,
    create: (options: unknown, origin = ORIGIN) =>
      emulator.createJSON(origin, options as CreationOptions),
    get: (options: unknown, origin = ORIGIN) => emulator.getJSON(origin, options as RequestOptions),
  };
}

export type Key = ReturnType<typeof newKey>;

/** The API's calls about keys. */
export function keyCalls({ call }: ApiClient) {
  const post = <Body>(path: string, body?: unknown, token?: string) =>
    call<Body>("POST", path, { body, token });
  return {
    register: (token: string, name = "Key") =>
      post<KeySetup>("/v1/me/devices/webauthn", { name }, token),
    restart: (token: string, id: string) =>
      post<KeySetup>(`/v1/me/devices/${id}/restart`, undefined, token),
    verify: (token: string, id: string, credential: unknown, makeDefault?: boolean) =>
      post<{ device: KeySetup["device"]; signedOut: boolean; session?: Authenticated["session"] }>(
        `/v1/me/devices/${id}/verify`,
        { credential, makeDefault },
        token,
      ),
    options: (challengeId: string) =>
      post<{ options: unknown }>(`/v1/login/challenges/${challengeId}/webauthn`),
    answer: (challengeId: string, credential: unknown) =>
      post<Authenticated & { status: string }>(`/v1/login/challenges/${challengeId}/verify`, {
        credential,
      }),
    passkeyOptions: () => post<PasskeyRequest>("/v1/login/passkey/options"),
    passkey: (id: string, credential: unknown) =>
      post<Authenticated>("/v1/login/passkey", { id, credential }),
  };
}

/** Adds and verifies a key in this session. As the default it logs the user out. */
export async function verifiedKey(
  { api }: Pick<Stage, "api">,
  token: string,
  { key = newKey(), makeDefault = true, name = "Key" } = {},
) {
  const calls = keyCalls(api);
  const { device, options } = (await calls.register(token, name)).body;
  const verified = await calls.verify(token, device.id, key.create(options), makeDefault);
  const signedOut = isDone(verified);
  return { key, id: device.id, signedOut, session: signedOut ? undefined : verified.body.session };
}

/** A user whose only device is a verified key. */
export async function userWithKey(
  stack: Stack,
  key = newKey(),
  options?: { accountId?: string; role?: Role },
) {
  const user = await stack.createUser(options);
  const { token } = await logInByPassword(stack, user);
  const { id } = await verifiedKey(stack, token, { key });
  return { user, key, id };
}

/** Logs in by password and key, if logins begin with it. Returns the session. */
export async function logInByKey<Options>(
  stage: Pick<Stage, "api">,
  user: Pick<Person, "username" | "password">,
  key: { get(options: Options): unknown },
) {
  const calls = keyCalls(stage.api);
  const { id, options } = await startChallenge(stage, user);
  return (await calls.answer(id, key.get(options as Options))).body.session;
}

/** Logs in by a passkey alone. */
export async function logInByPasskey({ api }: Pick<Stage, "api">, key: Key) {
  const calls = keyCalls(api);
  const { id, options } = (await calls.passkeyOptions()).body;
  return calls.passkey(id, key.get(options));
}
