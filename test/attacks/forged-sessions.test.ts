// I make tokens from ids that I have seen, from parts of my own token, or from an old one. Or I
// give the victim my token before they log in, and wait until it belongs to their session.
import { describe, expect, test } from "vitest";
import { newId, newOwnedId } from "../../store/ids.ts";
import { logInByApp, userWithApp } from "../support/apps.ts";
import type { Person } from "../support/people.ts";
import { expectProblem } from "../support/problems.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";

const SITE = "https://mfa.example";

const stack = useStack();

const parts = (token: string) => token.split(".") as [id: string, secret: string];

function sendForm(path: string, fields: Record<string, string>, cookie?: string) {
  return stack.app.request(`${SITE}${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "sec-fetch-site": "same-origin",
      ...(cookie && { cookie }),
    },
    body: new URLSearchParams(fields).toString(),
  });
}

const cookieOf = (answer: Response) => answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
const tokenOf = (cookie: string) => cookie.slice("__Host-session=".length);

describe("attack: a session cookie is planted before the login", () => {
  const logIn = ({ username, password }: Person, cookie?: string) =>
    sendForm("/login", { username, password }, cookie);

  test("it never becomes the victim's session: the login gives a new token and ends the planted one", async () => {
    const [eve, ann] = [await stack.createUser(), await stack.createUser()];
    const planted = cookieOf(await logIn(eve));
    const cookie = cookieOf(await logIn(ann, planted));
    expect(cookie).toMatch(/^__Host-session=.+\..+$/);
    expect(cookie).not.toBe(planted);
    const { user } = (await stack.api.session(tokenOf(cookie))).body;
    expect(user.id).toBe(ann.id);
    expectProblem(await stack.api.session(tokenOf(planted)), "session_revoked");
  });

  test("a made-up token is not taken, nor is one in the address, the form or another header", async () => {
    const ann = await stack.createUser();
    const chosen = `${newOwnedId(ann.id)}.${"A".repeat(43)}`;
    const cookie = cookieOf(await logIn(ann, `__Host-session=${chosen}`));
    expect(tokenOf(cookie)).not.toBe(chosen);
    const token = tokenOf(cookie);
    expectProblem(await stack.api.session(chosen), "unauthenticated");
    for (const path of [`/v1/session?token=${token}`, `/v1/session?access_token=${token}`])
      expectProblem(await stack.api.call("GET", path), "unauthenticated");
    const elsewhere: Record<string, string>[] = [
      { "x-session-token": token },
      { cookie },
      { "x-auth": token },
    ];
    for (const headers of elsewhere)
      expectProblem(await stack.api.call("GET", "/v1/session", { headers }), "unauthenticated");
    const { status } = await stack.app.request(`${SITE}/devices?session=${token}`);
    expect(status).not.toBe(200);
  });

  test("each login gets a token of its own, also by the second step", async () => {
    const { user, secret } = await userWithApp(stack);
    const [first, second] = [
      await logInByApp(stack, user, secret),
      await logInByApp(stack, user, secret),
    ];
    expect(first.token).not.toBe(second.token);
    expect(parts(first.token)[1]).not.toBe(parts(second.token)[1]);
  });
});

describe("attack: a forged token", () => {
  test("of a known session's id, another's secret or a shifted dot opens nothing, and the real one stays", async () => {
    const ann = await logInByPassword(stack, await stack.createUser());
    const eve = await logInByPassword(stack, await stack.createUser());
    const [id, secret] = parts(ann.token);
    const [evesId, evesSecret] = parts(eve.token);
    const forged = [
      `${id}.${evesSecret}`,
      `${evesId}.${secret}`,
      `${id}.`,
      `.${secret}`,
      `${id}${secret}`,
      `${id}..${secret}`,
      `${id}.${secret}.`,
      `${id}.${secret.toLowerCase()}`,
      `${id}.${secret}=`,
      `${id.toUpperCase()}.${secret}`,
      `${id}.${secret}%00`,
      `${id.slice(0, 55)}*.${secret}`,
      `${id.slice(0, 32)}${newId().slice(0, 24)}.${secret}`,
      `*.${secret}`,
    ];
    for (const token of forged) expectProblem(await stack.api.session(token), "unauthenticated");
    expect((await stack.api.session(ann.token)).body.id).toBe(id);
  });

  test("with one changed bit opens nothing", async () => {
    const { token } = await logInByPassword(stack, await stack.createUser());
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (let at = token.indexOf(".") + 1; at < token.length; at++) {
      const next = alphabet[(alphabet.indexOf(token[at] as string) + 1) % alphabet.length];
      const forged = token.slice(0, at) + next + token.slice(at + 1);
      expectProblem(await stack.api.session(forged), "unauthenticated");
    }
  });

  test("cannot be any id of the API: sessions, challenges, users and devices", async () => {
    const { user, secret } = await userWithApp(stack);
    const session = await logInByApp(stack, user, secret);
    const login = (await stack.api.logIn(user)).body;
    if (login.status !== "challenge") throw new Error("There should be a challenge");
    for (const token of [session.id, login.challenge.id, user.id, `${login.challenge.id}.1234567`])
      expectProblem(await stack.api.session(token), "unauthenticated");
  });

  test("a hundred tokens share nothing but their user's id, and hold 256 random bits", async () => {
    const user = await stack.createUser();
    const secrets = new Set<string>();
    for (let n = 0; n < 20; n++) {
      const tokens = await Promise.all(
        Array.from({ length: 5 }, () => logInByPassword(stack, user)),
      );
      for (const { token } of tokens) secrets.add(parts(token)[1]);
    }
    expect(secrets.size).toBe(100);
    for (const secret of secrets) expect(Buffer.from(secret, "base64url")).toHaveLength(32);
  });
});
