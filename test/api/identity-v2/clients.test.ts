import { beforeAll, describe, expect, test } from "vitest";
import { makeApiKey } from "../../../core/login/api-keys.ts";
import { getUser } from "../../../store/postgres/users.ts";
import { limit } from "../../support/limits.ts";
import type { Person } from "../../support/people.ts";
import { enrollPhone } from "../../support/scenarios.ts";
import { BEGINNING } from "../../support/stack.ts";
import { used } from "../../support/used.ts";
import {
  type Client,
  gophercloudClient,
  rackspaceauthClient,
  runClient,
} from "./client-programs.ts";
import { startFace } from "./face.ts";

// Released clients that know nothing of this service: gophercloud from Go's module proxy, and
// rackspaceauth on keystoneauth1 from PyPI. Their installations stay in the cache.

const INSTALLATION_MS = limit(600_000);

const face = used(startFace);
beforeAll(async () => {
  // The clients compare a token's expiry with the machine's clock, so the service's clock must
  // match.
  await face.advance(Date.now() - BEGINNING);
});

const environmentOf = ({ username }: Person) => ({
  ENDPOINT: `${face.url}/v2.0/`,
  USERNAME: username,
});

const byPassword = (user: Person) => ({ ...environmentOf(user), PASSWORD: user.password });

/** Reads the passcode from the user's phone, and expects that the client asks for that factor. */
const phoneOf = (e164: string) => (factor: string) => {
  expect(factor).toBe("PASSCODE");
  return face.passcodeTo(e164);
};

const end = () => Math.floor((face.clock.now() + 86_400_000) / 1000);

describe("gophercloud", () => {
  type Seen = {
    token: string;
    expiresAt: string;
    tenant: string;
    user: { id: string; name: string; roles: { name: string }[] };
    phones: { number: string; verified: boolean }[];
    revoked: boolean;
  };
  let client: Client;
  beforeAll(async () => {
    client = await gophercloudClient();
  }, INSTALLATION_MS);

  test("logs in by password; its token can be validated, used and revoked", async () => {
    const user = await face.createUser();
    const seen = await runClient<Seen>(client, { ...byPassword(user), TENANT: user.accountId });
    expect(seen).toMatchObject({
      token: expect.stringContaining(user.id),
      tenant: user.accountId,
      user: { id: user.id, name: user.username, roles: [{ name: "identity:default" }] },
      phones: [],
      revoked: true,
    });
    expect(Math.floor(Date.parse(seen.expiresAt) / 1000)).toBe(end());
    expect((await face.api.session(seen.token)).problem.reason).toBe("signed_out");
  });

  test("logs in with two steps", async () => {
    const user = await face.createUser();
    const { e164 } = await enrollPhone(face, user);
    const seen = await runClient<Seen>(client, byPassword(user), phoneOf(e164));
    expect(seen).toMatchObject({
      user: { id: user.id },
      phones: [{ number: e164, verified: true }],
      revoked: true,
    });
  });

  test("gets a 401 for a wrong password and for a wrong passcode", async () => {
    const user = await face.createUser();
    const wrong = runClient(client, { ...byPassword(user), PASSWORD: "wrong" });
    await expect(wrong).rejects.toThrow("401");
    await enrollPhone(face, user);
    const guessed = runClient(client, byPassword(user), async () => "0000000");
    await expect(guessed).rejects.toThrow("401");
  });
});

describe("rackspaceauth on keystoneauth1", () => {
  type Seen = {
    token: string;
    expiresAt: string;
    expiresSoon: boolean;
    tenant: string;
    userId: string;
    username: string;
    roles: string[];
    authenticatedBy: string[];
    multiFactorEnabled: boolean;
    revoked: boolean;
  };
  let client: Client;
  beforeAll(async () => {
    client = await rackspaceauthClient();
  }, INSTALLATION_MS);

  const seenOf = (user: Person, more: Partial<Seen>) => ({
    token: expect.stringContaining(user.id),
    expiresAt: expect.any(String),
    expiresSoon: false,
    tenant: user.accountId,
    userId: user.id,
    username: user.username,
    revoked: true,
    ...more,
  });

  test("logs in by password; its token can be validated, used and revoked", async () => {
    const user = await face.createUser({ role: "administrator" });
    expect(await runClient<Seen>(client, byPassword(user))).toEqual(
      seenOf(user, {
        roles: ["identity:user-admin"],
        authenticatedBy: ["PASSWORD"],
        multiFactorEnabled: false,
      }),
    );
  });

  test("logs in by API key", async () => {
    const user = await face.createUser();
    const known = await getUser(face.deps.db, user.id);
    if (!known) throw new Error("There is no user");
    const apiKey = await makeApiKey(face.deps, known, {
      actorId: "test",
      origin: {},
      session: "command_line",
    });
    const environment = { ...environmentOf(user), API_KEY: apiKey };
    expect(await runClient<Seen>(client, environment)).toEqual(
      seenOf(user, {
        roles: ["identity:default"],
        authenticatedBy: ["APIKEY"],
        multiFactorEnabled: false,
      }),
    );
    // A user with a second factor cannot use the API key, and the client sees no challenge in that.
    await enrollPhone(face, user);
    await expect(runClient(client, environment)).rejects.toThrow("401: ");
  });

  test("logs in with two steps", async () => {
    const user = await face.createUser();
    const { e164 } = await enrollPhone(face, user);
    expect(await runClient<Seen>(client, byPassword(user), phoneOf(e164))).toEqual(
      seenOf(user, {
        roles: ["identity:default"],
        authenticatedBy: ["PASSWORD", "PASSCODE"],
        multiFactorEnabled: true,
      }),
    );
  });
});
