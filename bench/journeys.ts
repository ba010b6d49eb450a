import type { Call } from "./client.ts";
import { keyOf } from "./keys.ts";
import type { Work } from "./load.ts";
import { nextCode } from "./otp-codes.ts";
import type { Outbox } from "./outbox.ts";
import { PASSWORD, type Person } from "./people.ts";

type Parts = {
  call: Call;
  outbox: Outbox;
  /** The next person. With `once`, undefined when each has had a turn. */
  next: (once?: "once") => Person | undefined;
  /** Takes the workflow that the newest unit of work ran. */
  ran: (workflowId: string) => void;
};

/** What a journey does before it is measured, if anything, and one unit of its work. */
export type Journey = (parts: Parts) => { before?: Work; work: Work };

type Challenge = { challenge: { id: string; options?: { challenge: string } } };

async function timed<T>(note: (ms: number) => void, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const answer = await work();
  note(performance.now() - begun);
  return answer;
}

function logIn(call: Call, { username, from }: Person) {
  const body = { username, password: PASSWORD };
  return call<Challenge>("POST", "/v1/login", { body, from });
}

type Answer = { passcode: string } | { credential: object };

function verify(call: Call, id: string, body: Answer, { from }: Person) {
  return call("POST", `/v1/login/challenges/${id}/verify`, { body, from });
}

type Turn = Challenge & { person: Person; note: (part: string, ms: number) => void };

function login(answerOf: (parts: Parts, turn: Turn) => Promise<Answer>): Journey {
  return (parts) => ({
    async work(note) {
      const { call, next, ran, outbox } = parts;
      const person = next();
      if (!person) return false;
      outbox.forget(`+1${person.phone}`);
      const noteLogin = (ms: number) => note("login", ms);
      const { challenge } = await timed(noteLogin, () => logIn(call, person));
      const answer = await answerOf(parts, { challenge, person, note });
      await timed(
        (ms) => note("verify", ms),
        () => verify(call, challenge.id, answer, person),
      );
      ran(`login-challenge/${challenge.id}`);
      return true;
    },
  });
}

/** What clients do, by name. */
export const journeys = {
  otpLogin: login(async (_, { person }) => ({ passcode: nextCode(person) })),
  smsLogin: login(async ({ outbox }, { person: { phone }, note }) => ({
    passcode: await timed(
      (ms) => note("message", ms),
      () => outbox.codeFor(`+1${phone}`),
    ),
  })),
  keyLogin: login(async (_, { challenge: { options }, person }) => {
    if (!options) throw new Error("The login did not ask for a key");
    return { credential: keyOf(person).get(options) };
  }),

  /** The second step alone, of challenges that were opened before. */
  verify: ({ call, next, ran }) => {
    const opened: { id: string; person: Person }[] = [];
    return {
      async before() {
        const person = next("once");
        if (!person) return false;
        opened.push({ id: (await logIn(call, person)).challenge.id, person });
        return true;
      },
      async work(note) {
        const one = opened.pop();
        if (!one) return false;
        const answer = { passcode: nextCode(one.person) };
        await timed(
          (ms) => note("verify", ms),
          () => verify(call, one.id, answer, one.person),
        );
        ran(`login-challenge/${one.id}`);
        return true;
      },
    };
  },

  session: ({ call, next }) => ({
    async work(note) {
      const person = next();
      if (!person) return false;
      const { token } = person;
      await timed(
        (ms) => note("session", ms),
        () => call("GET", "/v1/session", { token }),
      );
      return true;
    },
  }),

  otpEnrollment: ({ call, next, ran }) => ({
    async work(note) {
      const person = next("once");
      if (!person) return false;
      const { token, from } = person;
      const body = { name: "App" };
      const { device, secret } = await timed(
        (ms) => note("register", ms),
        () =>
          call<{ device: { id: string }; secret: string }>("POST", "/v1/me/devices/otp", {
            body,
            token,
            from,
          }),
      );
      const code = nextCode({ ...person, secret });
      await timed(
        (ms) => note("prove", ms),
        () => prove(call, device.id, code, person),
      );
      ran(`otp-enrollment/${device.id}`);
      return true;
    },
  }),

  smsEnrollment: ({ call, next, ran, outbox }) => ({
    async work(note) {
      const person = next("once");
      if (!person) return false;
      const { token, from, phone } = person;
      const body = { countryCode: "US", phoneNumber: phone };
      const { id } = await timed(
        (ms) => note("register", ms),
        () => call<{ id: string }>("POST", "/v1/me/devices/sms", { body, token, from }),
      );
      const code = await timed(
        (ms) => note("message", ms),
        () => outbox.codeFor(`+1${phone}`),
      );
      await timed(
        (ms) => note("prove", ms),
        () => prove(call, id, code, person),
      );
      ran(`sms-enrollment/${id}`);
      return true;
    },
  }),
} satisfies Record<string, Journey>;

export type JourneyName = keyof typeof journeys;

function prove(call: Call, deviceId: string, code: string, { token, from }: Person) {
  return call("POST", `/v1/me/devices/${deviceId}/verify`, { body: { code }, token, from });
}
