import { setTimeout as sleep } from "node:timers/promises";
import type { problemBody } from "../../api/http/problems.ts";
import type { DeviceView, MultiFactor } from "../../core/devices/devices.ts";
import type { Challenge } from "../../core/login/challenge-view.ts";
import type { Authenticated } from "../../core/login/complete-challenge.ts";
import type { LoginResult } from "../../core/login/start-login.ts";
import type { describeSession } from "../../core/sessions/sessions.ts";
import { until } from "./until.ts";

export type ProblemBody = ReturnType<typeof problemBody> & {
  attemptsRemaining?: number;
  triesRemaining?: number;
  reason?: string;
  secondsUntilNext?: number;
  state?: string;
};

export type SessionView = ReturnType<typeof describeSession>;

export type Answer<Body> = {
  status: number;
  headers: Headers;
  text: string;
  /** The body of a successful answer. Throws on any other answer, and says what it was. */
  readonly body: Body;
  /** The problem of a refusal. Throws on a success. */
  readonly problem: ProblemBody;
};

export type Call = {
  token?: string;
  headers?: Record<string, string>;
  /** Text is sent unchanged; anything else is sent as JSON. */
  body?: unknown;
};

/** Sends a request to `app.request` or to a port. */
export type Send = (path: string, init: RequestInit) => Response | Promise<Response>;

/** Retries a 503 after its `Retry-After`: a busy test machine is not a failure. */
export function patient(send: Send): Send {
  return (path, init) => {
    const sent = async () => {
      const answer = await send(path, init);
      if (answer.status === 503) await sleep(Number(answer.headers.get("retry-after")) * 1000);
      return answer;
    };
    return until(sent, ({ status }) => status !== 503);
  };
}

/** The calls of the API. No call throws on a refusal; only reading `body` or `problem` throws. */
export function createClient(
  send: Send,
  observe: (call: string, answer: Answer<unknown>) => void = () => {},
) {
  const call = async <Body>(
    method: string,
    path: string,
    { token, headers, body }: Call = {},
  ): Promise<Answer<Body>> => {
    const response = await send(path, {
      method,
      headers: {
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(token && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
    });
    const answer = answerOf<Body>(`${method} ${path}`, response, await response.text());
    observe(`${method} ${path}`, answer);
    return answer;
  };
  const post = <Body>(path: string, body?: unknown, more: Call = {}) =>
    call<Body>("POST", path, { body, ...more });

  return {
    call,
    logIn: ({ username, password }: { username: string; password: string }, more?: Call) =>
      post<LoginResult>("/v1/login", { username, password }, more),
    challenge: (id: string) => call<Challenge>("GET", `/v1/login/challenges/${id}`),
    verifyPasscode: (id: string, passcode: string, more?: Call) =>
      post<Authenticated>(`/v1/login/challenges/${id}/verify`, { passcode }, more),
    resendPasscode: (id: string) => post<Challenge>(`/v1/login/challenges/${id}/resend`),
    chooseMethod: (id: string, method: string) =>
      post<Challenge>(`/v1/login/challenges/${id}/method`, { method }),

    logOut: (token: string) => post<undefined>("/v1/logout", undefined, { token }),
    session: (token: string) =>
      call<
        SessionView & { user: { id: string; username: string; role: string; accountId: string } }
      >("GET", "/v1/session", { token }),
    sessions: (token: string) =>
      call<{ sessions: SessionView[] }>("GET", "/v1/sessions", { token }),
    endSession: (token: string, id: string) =>
      call<undefined>("DELETE", `/v1/sessions/${id}`, { token }),

    multiFactor: (token: string) => call<MultiFactor>("GET", "/v1/me/multi-factor", { token }),
    registerPhone: (
      token: string,
      { countryCode, phoneNumber }: { countryCode: string; phoneNumber: string },
      more?: Call,
    ) => post<DeviceView>("/v1/me/devices/sms", { countryCode, phoneNumber }, { token, ...more }),
    resendPin: (token: string, id: string) =>
      post<DeviceView>(`/v1/me/devices/${id}/pin`, undefined, { token }),
    verifyDevice: (token: string, id: string, code: string, more?: Call) =>
      post<{ device: DeviceView; signedOut: boolean }>(
        `/v1/me/devices/${id}/verify`,
        { code },
        { token, ...more },
      ),
  };
}

export type ApiClient = ReturnType<typeof createClient>;

function answerOf<Body>(call: string, response: Response, text: string): Answer<Body> {
  const { status, headers } = response;
  const refused = status >= 400;
  const unexpected = (wanted: string) =>
    new Error(`${call} should have answered a ${wanted}; it answered ${status} ${text}`);
  return {
    status,
    headers,
    text,
    get body() {
      if (refused) throw unexpected("success");
      return (text === "" ? undefined : JSON.parse(text)) as Body;
    },
    get problem() {
      if (!refused) throw unexpected("problem");
      return JSON.parse(text) as ProblemBody;
    },
  };
}
