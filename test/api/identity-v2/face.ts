import { serve } from "@hono/node-server";
import { eq } from "drizzle-orm";
import { expect } from "vitest";
import { accounts } from "../../../store/postgres/schema.ts";
import type { Person } from "../../support/people.ts";
import { startStack } from "../../support/stack.ts";
import { until } from "../../support/until.ts";

type Sent = { token?: string; headers?: Record<string, string>; body?: unknown };

/** An answer of the Identity API; `json` is its JSON body. */
export type Answer = {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect in it.
  readonly json: any;
};

/** Fault -> status code, from the contract. */
const CODES = {
  badRequest: 400,
  unauthorized: 401,
  forbidden: 403,
  itemNotFound: 404,
  badMethod: 405,
  tenantConflict: 409,
  overLimit: 413,
  badMediaType: 415,
  serviceUnavailable: 503,
};

/** A stack with a gateway on a port, and calls of `/v2.0` there. `stop()` ends both. */
export async function startFace() {
  const stack = await startStack();
  const server = serve({ fetch: stack.app.fetch, hostname: "127.0.0.1", port: 0 });
  const port = await new Promise<number>((resolve) => {
    if (server.listening) resolve((server.address() as { port: number }).port);
    else server.once("listening", () => resolve((server.address() as { port: number }).port));
  });
  const url = `http://127.0.0.1:${port}`;

  const once = async (method: string, path: string, sent: Sent): Promise<Answer> => {
    const { token, headers, body } = sent;
    const response = await fetch(`${url}/v2.0${path}`, {
      method,
      headers: {
        accept: "*/*",
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(token && { "x-auth-token": token }),
        ...headers,
      },
      body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      get json() {
        return JSON.parse(text);
      },
    };
  };
  /** A busy machine is no failure: what is answered by 503 is sent again. */
  const call = (method: string, path: string, sent: Sent = {}) =>
    until(
      () => once(method, path, sent),
      ({ status }) => status !== 503,
    );
  const post = (path: string, body: unknown, sent: Sent = {}) =>
    call("POST", path, { ...sent, body });

  const passwordOf = ({ username, password }: Pick<Person, "username" | "password">) => ({
    passwordCredentials: { username, password },
  });
  const firstStep = (user: Pick<Person, "username" | "password">, more: object = {}) =>
    post("/tokens", { auth: { ...passwordOf(user), ...more } });
  const secondStep = (sessionId: string, passcode: string) =>
    post(
      "/tokens",
      { auth: { "RAX-AUTH:passcodeCredentials": { passcode } } },
      { headers: { "x-sessionid": sessionId } },
    );
  const { db } = stack.deps;

  return {
    ...stack,
    url,
    once,
    call,
    post,
    firstStep,
    secondStep,
    /** The session id in the answer to the first step of a login. */
    async sessionId(user: Person, factor = "PASSCODE") {
      const answer = await firstStep(user);
      const challenge = answer.headers.get("www-authenticate") ?? "";
      const [, id = ""] = /^OS-MF sessionId='([^']+)', factor='(\w+)'$/.exec(challenge) ?? [];
      expect([answer.status, challenge]).toEqual([
        401,
        `OS-MF sessionId='${id}', factor='${factor}'`,
      ]);
      return id;
    },
    /** The token of a login by password only. */
    async token(user: Pick<Person, "username" | "password">, more?: object): Promise<string> {
      return (await firstStep(user, more)).json.access.token.id;
    },
    /** The path of the user's multi-factor resources. */
    own: ({ id }: Pick<Person, "id">) => `/users/${id}/RAX-AUTH/multi-factor`,
    set: (accountId: string, values: Partial<typeof accounts.$inferInsert>) =>
      db.update(accounts).set(values).where(eq(accounts.id, accountId)),
    async stop() {
      await new Promise((resolve) => server.close(resolve));
      await stack.stop();
    },
  };
}

export type Face = Awaited<ReturnType<typeof startFace>>;

/** Expects an answer to be exactly this fault in JSON, without a challenge. */
export function expectFault(answer: Answer, fault: keyof typeof CODES): string {
  const code = CODES[fault];
  expect([answer.status, Object.keys(answer.json)], answer.text).toEqual([code, [fault]]);
  expect(answer.headers.get("content-type")).toBe("application/json");
  expect(answer.headers.get("www-authenticate")).toBeNull();
  expect(answer.headers.get("cache-control")).toBe("no-store");
  const shown = answer.json[fault];
  expect(shown).toMatchObject({ code, message: expect.stringMatching(/\S/) });
  expect(answer.text).not.toMatch(/\bat .*:\d+:\d+|node_modules|\.tsx?\b|insert into\b/i);
  if (fault === "overLimit") expect(shown.retryAfter).toBeGreaterThanOrEqual(1);
  if (fault === "overLimit" || fault === "serviceUnavailable")
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  return shown.message;
}
