import { generateKeyPairSync, randomBytes } from "node:crypto";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verifyRegistration } from "../../core/webauthn/registration.ts";
import { relyingParty } from "../../core/webauthn/relying-party.ts";
import { listEvents } from "../../store/postgres/events/read-events.ts";
import { lockUser } from "../../store/postgres/users.ts";
import { workflowIds } from "../../workflows/ids.ts";
import { eventOf } from "../store/postgres/database.ts";
import { type Crafted, craftedKey, handleOf } from "../support/crafted-keys.ts";
import { historyOf, secretsIn } from "../support/histories.ts";
import { KEY_SETTINGS, keyCalls, logInByKey, newKey, ORIGIN } from "../support/keys.ts";
import { limit } from "../support/limits.ts";
import { enrollPhone, isDone, logInByPassword, startChallenge } from "../support/scenarios.ts";
import { type Stack, startStack } from "../support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ environment: KEY_SETTINGS });
}, limit(300_000));
afterAll(() => stack.stop());

const calls = () => keyCalls(stack.api);
const idOf = (bytes: number) => randomBytes(bytes).toString("base64url");
const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;

type Options = { challenge: string };
type Asking = Options & { userVerification: string };

/** The user touched the key and did not unlock it, perhaps because it has no PIN. */
const NO_PIN: Crafted = { flags: { userVerified: false } };

/** A user with a crafted key, and the options of a login that has just begun. */
async function craftedUser(crafted: Crafted = {}) {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const key = craftedKey();
  const { device, options } = (await calls().register(token)).body;
  expect(isDone(await calls().verify(token, device.id, key.create(options, crafted)))).toBe(true);
  return { user, key, deviceId: device.id };
}

async function challengedUser(crafted: Crafted = {}) {
  const owner = await craftedUser(crafted);
  const { id } = await startChallenge(stack, owner.user);
  const asked = async () => (await calls().options(id)).body.options as Options;
  return { ...owner, id, asked };
}

/** Answers that no honest authenticator or browser gives, or only to another site. */
const DISHONEST: Record<string, Crafted> = {
  "a forged signature": { signedBy: stranger },
  "another origin": { origin: "https://login.example.com.evil.test" },
  "another port": { origin: "https://login.example.com:8443" },
  "another RP ID": { rpId: "evil.test" },
  "the RP ID of the page's host": { rpId: "login.example.com" },
  "a key that nobody touched": { flags: { userPresent: false } },
  "a frame of a site that is not named": { clientData: { crossOrigin: true } },
  "a frame of another site": {
    clientData: { crossOrigin: true, topOrigin: "https://evil.test" },
  },
  "a registration's client data": { clientData: { type: "webauthn.create" } },
  "another nonce": { clientData: { challenge: "bm90IHRoZSBub25jZQ" } },
  "another user's handle": { userHandle: handleOf("f".repeat(32)) },
  "a key that can be backed up now": { flags: { backupEligibility: true } },
  "a backup of what cannot be backed up": { flags: { backupState: true } },
};

describe("the second step", () => {
  test.each(Object.entries(DISHONEST))("attack: %s is refused", async (_name, crafted) => {
    const { key, id, asked } = await challengedUser();
    const refused = await calls().answer(id, key.get(await asked(), crafted));
    expect(refused.problem).toMatchObject({ status: 422, code: "credential_rejected" });
    // The honest answer works afterwards, so the dishonest part was why.
    expect((await calls().answer(id, key.get(await asked()))).body.status).toBe("authenticated");
  });

  test("attack: one assertion is posted twenty times at once; one opens a session", async () => {
    const { key, id, asked } = await challengedUser();
    const credential = key.get(await asked());
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => calls().answer(id, credential)),
    );
    const opened = answers.filter(({ status }) => status === 200);
    expect(opened).toHaveLength(1);
    const refused = answers.filter(({ status }) => status !== 200).map((it) => it.problem.code);
    for (const code of refused)
      expect(["webauthn_options_used", "illegal_transition"]).toContain(code);
  });

  test("attack: an assertion is replayed, in its own login and in another one", async () => {
    const { user, key, id, asked } = await challengedUser();
    const credential = key.get(await asked());
    expect((await calls().answer(id, credential)).status).toBe(200);
    expect((await calls().answer(id, credential)).problem.code).toBe("illegal_transition");
    const again = await startChallenge(stack, user);
    // Each login has a nonce of its own, and the refused answer takes it.
    expect((await calls().answer(again.id, credential)).problem.code).toBe("credential_rejected");
    expect((await calls().answer(again.id, credential)).problem.code).toBe("webauthn_options_used");
    await calls().options(again.id);
    expect((await calls().answer(again.id, credential)).problem.code).toBe("credential_rejected");
  });

  test("attack: the nonce is spent even by an answer whose signature is wrong", async () => {
    const { key, id, asked } = await challengedUser();
    const options = await asked();
    await calls().answer(id, key.get(options, { signedBy: stranger }));
    const late = await calls().answer(id, key.get(options));
    expect(late.problem.code).toBe("webauthn_options_used");
  });

  test("attack: a key answers another user's login", async () => {
    const { id, asked } = await challengedUser();
    const thief = await craftedUser();
    const refused = await calls().answer(id, thief.key.get(await asked()));
    expect(refused.problem.code).toBe("credential_rejected");
  });

  test("attack: a signature of one's own key in the name of the victim's credential", async () => {
    const { key, id, asked } = await challengedUser();
    const thief = craftedKey();
    const forged = thief.get(await asked(), { credentialId: key.credentialId });
    expect((await calls().answer(id, forged)).problem.code).toBe("credential_rejected");
  });

  test("twenty refused answers end the login, and none counts towards the lock", async () => {
    const { user, key, id, asked } = await challengedUser();
    for (let n = 0; n < 20; n++) {
      const refused = await calls().answer(id, key.get(await asked(), { signedBy: stranger }));
      expect(refused.problem.code).toBe("credential_rejected");
    }
    const over = await calls().answer(id, key.get(await asked()));
    expect(over.problem).toMatchObject({
      code: "challenge_expired",
      reason: "too_many_requests",
    });
    const next = await startChallenge(stack, user);
    expect(next.attemptsRemaining).toBe(7);
    const { options } = (await calls().options(next.id)).body;
    expect((await calls().answer(next.id, key.get(options as Options))).status).toBe(200);
  });

  test("a locked user's key opens nothing, not even a login that began before the lock", async () => {
    const { user, key, id, asked } = await challengedUser();
    const options = await asked();
    for (let n = 0; n < 7; n++) await stack.api.verifyPasscode(id, "0000000");
    expect((await calls().answer(id, key.get(options))).problem.code).toBe("account_locked");
    expect((await calls().options(id)).problem.code).toBe("account_locked");
    const passkey = (await calls().passkeyOptions()).body;
    const given = key.get(passkey.options, { userHandle: handleOf(user.id) });
    expect((await calls().passkey(passkey.id, given)).problem.code).toBe("account_locked");
  });

  test("attack: a removed key answers with options from before its removal", async () => {
    const user = await stack.createUser();
    const { token } = await logInByPassword(stack, user);
    const first = newKey();
    const added = (await calls().register(token)).body;
    await calls().verify(token, added.device.id, first.create(added.options));
    const session = await logInByKey(stack, user, first);
    const second = newKey();
    const more = (await calls().register(session.token)).body;
    await calls().verify(session.token, more.device.id, second.create(more.options), false);
    const { id } = await startChallenge(stack, user);
    const { options } = (await calls().options(id)).body;
    const credential = second.get(options);
    await stack.api.call("DELETE", `/v1/me/devices/${more.device.id}`, { token: session.token });
    expect((await calls().answer(id, credential)).problem.code).toBe("challenge_expired");
  });
});

describe("a frame of one of our own sites", () => {
  const framed: Crafted = { clientData: { crossOrigin: true, topOrigin: ORIGIN } };

  test("registers a key, and its answers log in, beside the password and alone", async () => {
    const { user, key } = await craftedUser(framed);
    const { id, options } = await startChallenge(stack, user);
    expect((await calls().answer(id, key.get(options as Options, framed))).status).toBe(200);
    const passkey = (await calls().passkeyOptions()).body;
    const alone = key.get(passkey.options, { ...framed, userHandle: handleOf(user.id) });
    expect((await calls().passkey(passkey.id, alone)).status).toBe(200);
  });
});

describe("the counter", () => {
  test("a counter that goes back is refused, told once, and shown to the owner", async () => {
    const { key, id, asked, deviceId } = await challengedUser({ signCount: 7 });
    const at = async (signCount: number) =>
      calls().answer(id, key.get(await asked(), { signCount }));
    expect((await at(7)).problem.code).toBe("credential_rejected");
    expect((await at(7)).problem.code).toBe("credential_rejected");
    expect((await at(3)).problem.code).toBe("credential_rejected");
    const { session } = (await at(8)).body;
    const { events } = (
      await stack.api.call<{ events: { type: string; detail: object }[] }>(
        "GET",
        "/v1/me/activity",
        { token: session.token },
      )
    ).body;
    const told = events.filter(({ type }) => type === "key_counter_regressed");
    expect(told.map(({ detail }) => detail)).toEqual([{ deviceId, device: "Key", counter: 7 }]);
  });

  test("attack: a wrong signature with a high counter does not move the counter", async () => {
    const { key, id, asked } = await challengedUser({ signCount: 1 });
    await calls().answer(id, key.get(await asked(), { signCount: 900, signedBy: stranger }));
    expect((await calls().answer(id, key.get(await asked(), { signCount: 2 }))).status).toBe(200);
  });

  test("a key that never counts stays at 0", async () => {
    const { user, key } = await craftedUser();
    for (let n = 0; n < 2; n++) {
      const { id } = await startChallenge(stack, user);
      const { options } = (await calls().options(id)).body;
      expect((await calls().answer(id, key.get(options as Options))).status).toBe(200);
    }
  });
});

describe("the login by a passkey alone", () => {
  /** Changes with each write of the key's credential. */
  async function versionOf({ credentialId }: ReturnType<typeof craftedKey>) {
    const query = sql`select xmin::text from webauthn_credentials where credential_id = ${credentialId}`;
    return (await stack.deps.db.execute(query)).rows[0]?.xmin;
  }

  /** The options of a login by passkey, and an answer to them. */
  async function passkey(key: ReturnType<typeof craftedKey>, userId: string, crafted: Crafted) {
    const { id, options } = (await calls().passkeyOptions()).body;
    return calls().passkey(id, key.get(options, { userHandle: handleOf(userId), ...crafted }));
  }

  const alone: Record<string, Crafted> = {
    ...DISHONEST,
    "a key that was not unlocked": NO_PIN,
    "no user's handle": { userHandle: undefined },
  };

  test.each(Object.entries(alone))("attack: %s is refused", async (_name, crafted) => {
    const { user, key } = await craftedUser();
    const refused = await passkey(key, user.id, crafted);
    expect(refused.problem).toMatchObject({ status: 401, code: "passkey_rejected" });
    expect((await passkey(key, user.id, {})).status).toBe(200);
  });

  test("attack: an unknown passkey is told apart from a known one that is refused", async () => {
    const { user, key } = await craftedUser();
    const answers = [
      await passkey(craftedKey(), user.id, {}),
      await passkey(key, user.id, { signedBy: stranger }),
    ];
    const [unknown, forged] = answers.map(({ status, problem }) => {
      const { instance: _, ...rest } = problem as unknown as Record<string, unknown>;
      return { status, rest };
    });
    expect(forged).toEqual(unknown);
  });

  test("attack: who finds a key without a PIN gives it one and logs in alone", async () => {
    const { user, key } = await craftedUser(NO_PIN);
    for (let n = 0; n < 2; n++)
      expect((await passkey(key, user.id, {})).problem.code).toBe("passkey_needs_password");
    // Only who has the key learns that.
    const forged = await passkey(key, user.id, { signedBy: stranger });
    expect(forged.problem.code).toBe("passkey_rejected");
  });

  test("a key that was added without its PIN logs in alone after a second step with it", async () => {
    const { user, key } = await craftedUser(NO_PIN);
    const secondStep = async (crafted: Crafted) => {
      const { id } = await startChallenge(stack, user);
      const options = (await calls().options(id)).body.options as Asking;
      expect((await calls().answer(id, key.get(options, crafted))).status).toBe(200);
      return options.userVerification;
    };
    expect(await secondStep(NO_PIN)).toBe("preferred");
    expect((await passkey(key, user.id, {})).problem.code).toBe("passkey_needs_password");
    expect(await secondStep({})).toBe("preferred");
    expect((await passkey(key, user.id, {})).status).toBe(200);
    // From then on nothing is new, so nothing is written, and the PIN is not asked for.
    const written = await versionOf(key);
    expect(await secondStep(NO_PIN)).toBe("discouraged");
    expect((await passkey(key, user.id, {})).status).toBe(200);
    expect(await versionOf(key)).toBe(written);
  });

  test("a key that was unlocked when it was added logs in alone at once, another key does not", async () => {
    const { user, key } = await craftedUser();
    const { token } = (await passkey(key, user.id, {})).body.session;
    const other = craftedKey();
    const { device, options } = (await calls().register(token)).body;
    await calls().verify(token, device.id, other.create(options, NO_PIN), false);
    expect((await passkey(other, user.id, {})).problem.code).toBe("passkey_needs_password");
    const { id } = await startChallenge(stack, user);
    expect((await calls().options(id)).body.options).toMatchObject({
      userVerification: "preferred",
    });
    expect((await passkey(key, user.id, {})).status).toBe(200);
  });

  test("attack: one answer is posted twenty times at once; one opens a session", async () => {
    const { user, key } = await craftedUser();
    const { id, options } = (await calls().passkeyOptions()).body;
    const credential = key.get(options, { userHandle: handleOf(user.id) });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => calls().passkey(id, credential)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 200))
      expect(answer.problem.code).toBe("webauthn_options_used");
  });

  test("attack: a locked user logs in after Redis has lost the count of wrong passcodes", async () => {
    const { user, key } = await craftedUser();
    const at = new Date(stack.clock.now());
    await lockUser(stack.deps.db, { userId: user.id, at }, eventOf(user));
    const { problem } = await passkey(key, user.id, {});
    expect(problem.code).toBe("account_locked");
  });

  test("attack: a made-up or late request", async () => {
    const { user, key } = await craftedUser();
    const { id, options } = (await calls().passkeyOptions()).body;
    const credential = key.get(options, { userHandle: handleOf(user.id) });
    const [nonce, expiresAt, hash] = id.split(".");
    const later = [nonce, Number(expiresAt) + 60_000, hash].join(".");
    expect((await calls().passkey(later, credential)).problem.code).toBe("challenge_not_found");
    expect((await calls().passkey("x", credential)).problem.code).toBe("challenge_not_found");
    await stack.advance(5 * 60_000);
    expect((await calls().passkey(id, credential)).problem.code).toBe("challenge_expired");
  });

  test("attack: the answer to a second step is used as a login by passkey, and the other way round", async () => {
    const { user, key, id, asked } = await challengedUser();
    const offered = (await calls().passkeyOptions()).body;
    const handle = { userHandle: handleOf(user.id) };
    const answer = key.get(offered.options, handle);
    await asked();
    expect((await calls().answer(id, answer)).problem.code).toBe("credential_rejected");
    const step = key.get(await asked(), handle);
    expect((await calls().passkey(offered.id, step)).problem.code).toBe("passkey_rejected");
  });

  test("attack: refused passkeys without end from one address", async () => {
    const flood = { headers: { "x-forwarded-for": "198.51.100.9" } };
    const codes = new Set<string>();
    const key = craftedKey();
    for (let n = 0; n < 60; n++) {
      const { id, options } = (await calls().passkeyOptions()).body;
      const refused = await stack.api.call("POST", "/v1/login/passkey", {
        ...flood,
        body: { id, credential: key.get(options, { userHandle: handleOf("a".repeat(32)) }) },
      });
      codes.add(refused.problem.code);
    }
    expect([...codes]).toEqual(["passkey_rejected", "login_throttled"]);
    await stack.advance(15 * 60_000);
  });

  test("a page view stores nothing", async () => {
    const before = await stack.deps.redis.dbSize();
    for (let n = 0; n < 50; n++) await calls().passkeyOptions();
    expect(await stack.deps.redis.dbSize()).toBe(before);
  });
});

describe("the registration", () => {
  const dishonest: Record<string, Crafted> = {
    "another origin": { origin: "https://evil.test" },
    "another RP ID": { rpId: "evil.test" },
    "a key that nobody touched": { flags: { userPresent: false } },
    "a frame of a site that is not named": { clientData: { crossOrigin: true } },
    "a frame of another site": {
      clientData: { crossOrigin: true, topOrigin: "https://evil.test" },
    },
    "an assertion's client data": { clientData: { type: "webauthn.get" } },
    "another nonce": { clientData: { challenge: "bm90IHRoZSBub25jZQ" } },
    "an attested ID that is not the answer's": { attestedId: idOf(32) },
    "a public key of 2 kB": { attestedKey: { kty: "RSA", n: idOf(2048), e: "AQAB" } },
  };

  test.each(Object.entries(dishonest))("attack: %s is refused", async (_name, crafted) => {
    const { token } = await logInByPassword(stack, await stack.createUser());
    const key = craftedKey();
    const { device, options } = (await calls().register(token)).body;
    const refused = await calls().verify(token, device.id, key.create(options, crafted));
    expect(refused.problem.code).toBe("credential_rejected");
    const replay = await calls().verify(token, device.id, key.create(options));
    expect(replay.problem.code).toBe("webauthn_options_used");
    const again = (await calls().restart(token, device.id)).body;
    expect((await calls().verify(token, device.id, key.create(again.options))).status).toBe(200);
  });

  test("attack: a credential ID of more than 1,023 bytes", async () => {
    const nonce = idOf(32);
    const made = (bytes: number) =>
      verifyRegistration(
        relyingParty(stack.deps.config),
        craftedKey(idOf(bytes)).create({ challenge: nonce }),
        nonce,
      );
    // The API refuses the longer one before, by the answer's own ID.
    await expect(made(1024)).rejects.toMatchObject({ code: "credential_rejected" });
    expect((await made(1023)).credentialId).toHaveLength(1364);
  });

  test("attack: a credential that another user has, or the same user", async () => {
    const { user, key } = await craftedUser();
    const claimants = [
      await logInByPassword(stack, await stack.createUser()),
      await logInByKey(stack, user, key),
    ];
    for (const { token } of claimants) {
      const { device, options } = (await calls().register(token)).body;
      const claimed = craftedKey(key.credentialId).create(options);
      const refused = await calls().verify(token, device.id, claimed);
      expect(refused.problem.code).toBe("credential_registered");
    }
  });

  test("attack: two users register the same credential at once; one gets it", async () => {
    const { credentialId } = craftedKey();
    const begun = await Promise.all(
      [1, 2, 3, 4].map(async () => {
        const { token } = await logInByPassword(stack, await stack.createUser());
        return { token, ...(await calls().register(token)).body };
      }),
    );
    const answers = await Promise.all(
      begun.map(({ token, device, options }) =>
        calls().verify(token, device.id, craftedKey(credentialId).create(options)),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test("attack: a password thief's session from before the first second factor adds a key", async () => {
    const user = await stack.createUser();
    const early = await logInByPassword(stack, user);
    await enrollPhone(stack, user);
    expect((await calls().register(early.token)).problem).toMatchObject({
      ...{ status: 401, code: "session_revoked", reason: "device_verified" },
    });
  });

  test("a registration that nobody finishes ends after ten minutes", async () => {
    const { token } = await logInByPassword(stack, await stack.createUser());
    const { device, options } = (await calls().register(token)).body;
    await stack.advance(10 * 60_000);
    const late = await calls().verify(token, device.id, newKey().create(options));
    expect(late.problem.code).toBe("webauthn_options_used");
  });
});

test("no nonce, credential ID, public key or handle stands in a history", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const key = craftedKey();
  const added = (await calls().register(token)).body;
  expect(isDone(await calls().verify(token, added.device.id, key.create(added.options)))).toBe(
    true,
  );
  const { id } = await startChallenge(stack, user);
  const step = (await calls().options(id)).body.options as Options;
  expect((await calls().answer(id, key.get(step))).status).toBe(200);
  const passkey = (await calls().passkeyOptions()).body;
  const handle = handleOf(user.id);
  const alone = key.get(passkey.options, { userHandle: handle });
  expect((await calls().passkey(passkey.id, alone)).status).toBe(200);

  const logins = { userId: user.id, types: ["login_succeeded"], limit: 2 };
  const [byPasskey, byKey] = (await listEvents(stack.deps.db, logins)).events;
  expect(byKey?.workflowId).toBe(workflowIds.loginChallenge(id));
  expect(byPasskey?.workflowId).not.toBe(byKey?.workflowId);
  const nonces = [added, { options: step }, passkey].map(({ options }) => options.challenge);
  const secrets = [...nonces, key.credentialId, key.publicKey, handle];
  for (const workflowId of [
    workflowIds.enrollment("webauthn", added.device.id),
    workflowIds.loginChallenge(id),
    byPasskey?.workflowId ?? "",
  ]) {
    const text = await historyOf(stack.temporal.client, workflowId);
    // Proves that the text really holds the decoded input of the workflow.
    expect(text).toContain(`"userId":"${user.id}"`);
    expect(secretsIn([text], secrets)).toEqual([]);
  }
});
