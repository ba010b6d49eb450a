import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { listEvents } from "../../store/postgres/events/read-events.ts";
import { countRefunds } from "../../store/redis/second-step/refunds.ts";
import { limit } from "../support/limits.ts";
import { newPerson, type Person } from "../support/people.ts";
import { newPhone, phones } from "../support/phones.ts";
import {
  challengeSent,
  enrollPhone,
  logInByPassword,
  pinSent,
  type Stage,
  startChallenge,
  wrongCode,
} from "../support/scenarios.ts";
import { startTwilioApi, type TwilioAnswer } from "../support/twilio-api.ts";
import { until } from "../support/until.ts";
import { persistentClient } from "./client.ts";
import { type Installation, install } from "./installation.ts";
import { type Call, type Probe, startLoad } from "./load.ts";

/** ms. The service promises an answer within two seconds. */
const LATE_MS = limit(2_000);

export type Outage = {
  name: string;
  /** The name that /health/dependencies reports; undefined if /health/dependencies does not check this part. */
  away?: string;
  begin(): Promise<void>;
  end(): Promise<void>;
};

type Provider = Awaited<ReturnType<typeof startTwilioApi>>;

/** The service with a stand-in for Twilio as its SMS provider. */
export async function installWithProvider() {
  const provider = await startTwilioApi();
  const installation = await install({
    SMS_GATEWAY: "twilio",
    TWILIO_ACCOUNT_SID: "AC00000000000000000000000000000000",
    TWILIO_AUTH_TOKEN: "token",
    TWILIO_FROM: "+12125550100",
    TWILIO_BASE_URL: provider.url,
  });
  return {
    ...installation,
    provider,
    async stop() {
      await installation.stop();
      await provider.stop();
    },
  };
}

type Service = Installation & { provider: Provider };

/** A server that goes away: `silent` freezes it, `gone` kills it. */
export function awayOf({ part }: Installation, name: string, way: "silent" | "gone"): Outage {
  const { freeze, thaw, kill, start } = part(name);
  return {
    ...{ name: `${name} ${way}`, away: name },
    begin: way === "silent" ? freeze : kill,
    end: way === "silent" ? thaw : start,
  };
}

export function noWorkers({ parts }: Installation): Outage {
  const workers = parts.filter(({ name }) => name.startsWith("worker"));
  const all = async (what: "kill" | "start") =>
    void (await Promise.all(workers.map((worker) => worker[what]())));
  return { name: "no worker", begin: () => all("kill"), end: () => all("start") };
}

export function providerOutage({ provider }: Service, answer: TwilioAnswer, name: string): Outage {
  return {
    name: `provider ${name}`,
    begin: async () => provider.answer(answer),
    end: async () => provider.answer("taken"),
  };
}

export type OutageReport = {
  outage: string;
  calls: number;
  refused: number;
  /** 99 % of the answers took at most `p99Ms`; all took at most `slowestMs`. */
  p99Ms: number;
  slowestMs: number;
  /** The name of the slowest probe. */
  slowest: string;
};

/**
 * Puts load on the service during an outage. Throws on a broken promise or a wrongly spent attempt.
 */
export async function outageRun(
  service: Service,
  outage: Outage,
  lastsMs: number,
): Promise<OutageReport> {
  const stage = stageOf(service);
  const [url = ""] = service.urls;
  const plain = await Promise.all(Array.from({ length: USERS }, () => person(service)));
  const session = await logInByPassword(stage, plain[0] as Person);
  const guessed = await challenged(service, stage);
  const paired = await registered(service, stage);
  const before = service.parts.map((part) => part.pid());
  const wrongPin = wrongCode(paired.pin);
  const thief = await challenged(service, stage);
  const others = await Promise.all(plain.slice(0, 2).map(() => challenged(service, stage)));
  const phoned = [guessed, ...others].map(({ user }) => user);
  const asking: Probe[] = [
    { name: "login", call: logInAnyOf(plain), right: [200] },
    { name: "login with a phone", call: logInAnyOf(phoned), right: [200] },
    { name: "session", call: (api) => api.session(session.token), right: [200] },
    { name: "settings", call: (api) => api.multiFactor(paired.token), right: [200] },
    { name: "challenge", call: (api) => api.challenge(guessed.id), right: [200] },
  ];
  // An attacker guesses passcodes during the outage, until 423 says that the user is locked.
  const guessing: Probe = {
    ...{ name: "thief", right: [422, 423, 410] },
    call: (api) => api.verifyPasscode(thief.id, wrongCode(thief.passcode)),
  };
  const probes = [...asking, ...spending(guessed, paired, wrongPin), guessing];

  await outage.begin();
  if (outage.away) await until(readiness(url), ({ away }) => away.includes(outage.away as string));
  const load = startLoad(service.urls, probes);
  await sleep(lastsMs);
  const during = [...load.calls];
  if (outage.away)
    expect(await readiness(url)()).toEqual({ status: "unavailable", away: [outage.away] });
  await outage.end();
  const wellAgain = async () => {
    const since = load.calls.slice(during.length).filter(({ right }) => right);
    return asking.every(({ name }) => since.some(({ probe }) => probe === name));
  };
  await until(wellAgain, Boolean);
  const calls = await load.stop();
  for (const call of calls) expectPromised(call);

  // Only attempts that got a 422 were spent.
  const answered = (name: string) =>
    calls.filter(({ probe, right }) => probe === name && right).length;
  const api = stage.api;
  const { attemptsRemaining } = (await api.challenge(guessed.id)).body;
  expect(attemptsRemaining).toBe(7 - answered("guess"));
  const device = (await api.multiFactor(paired.token)).body.devices.find(
    ({ id }) => id === paired.id,
  );
  const last = (await api.verifyDevice(paired.token, paired.id, wrongPin)).problem.triesRemaining;
  expect({ state: device?.state, last }).toEqual({
    state: "awaiting_pin",
    last: 4 - answered("pin"),
  });
  expect((await api.verifyPasscode(guessed.id, guessed.passcode)).status).toBe(200);
  expect((await api.verifyDevice(paired.token, paired.id, paired.pin)).status).toBe(200);
  const judged = calls.filter(({ probe, status }) => probe === "thief" && status === 422).length;
  await expectBounded(service, thief.user.id, judged);
  // No other part was restarted or ended.
  const affected = new Set([outage.away, ...(outage.name === "no worker" ? WORKERS : [])]);
  const restarted = service.parts.filter(
    (part, index) => part.pid() !== before[index] && !affected.has(part.name),
  );
  expect(restarted.map(({ name }) => name)).toEqual([]);
  expect(service.parts.flatMap(({ deaths }) => deaths)).toEqual([]);

  const refused = calls.filter(({ status }) => status === 503).length;
  return { outage: outage.name, calls: calls.length, refused, ...slownessOf(calls) };
}

function slownessOf(calls: readonly Call[]) {
  const bySlowness = [...calls].sort((a, b) => b.ms - a.ms);
  const after = (share: number) => bySlowness[Math.floor(share * calls.length)] as Call;
  const slowest = after(0);
  return {
    p99Ms: Math.round(after(0.01).ms),
    slowestMs: Math.round(slowest.ms),
    slowest: slowest.probe,
  };
}

/** So many that none of them reaches the limit on a user's logins in a minute. */
const USERS = 10;

/** Logs in another of the users each time. */
function logInAnyOf(users: readonly Person[]): Probe["call"] {
  let calls = 0;
  return (api) => api.logIn(users[calls++ % users.length] as Person);
}

const WORKERS = ["worker-1", "worker-2"];
const GATEWAYS = 2;
const REFUNDS = 10;
const BUDGET = 7;

/** An attacker gets at most seven guesses plus what a day's outages give back. */
async function expectBounded({ db, redis }: Installation, userId: string, judged: number) {
  expect(judged).toBeLessThan(BUDGET);
  expect(await countRefunds(redis, userId, Date.now())).toBeLessThanOrEqual(REFUNDS);
  const { events } = await listEvents(db, { userId, types: ["attempt_given_back"], limit: 100 });
  expect(events.length).toBeLessThanOrEqual(REFUNDS);
}

function spending(
  guessed: { id: string; passcode: string },
  paired: { token: string; id: string },
  wrongPin: string,
): Probe[] {
  const guess = wrongCode(guessed.passcode);
  return [
    {
      ...{ name: "guess", right: [422], most: 2, mostRefused: REFUNDS - GATEWAYS },
      call: (api) => api.verifyPasscode(guessed.id, guess),
    },
    {
      ...{ name: "pin", right: [422], most: 1, mostRefused: REFUNDS - GATEWAYS },
      call: (api) => api.verifyDevice(paired.token, paired.id, wrongPin),
    },
  ];
}

function expectPromised({ probe, status, right, ms, retryAfter }: Call): void {
  const promised = right || (status === 503 && retryAfter);
  expect({ probe, status, promised }).toEqual({ probe, status, promised: true });
  expect(ms, `${probe} was answered ${status} after ${ms} ms`).toBeLessThan(LATE_MS);
}

const readiness = (url: string) => async () =>
  (await (await fetch(`${url}/health/dependencies`)).json()) as { status: string; away: string[] };

const person = ({ db }: Installation) => newPerson(db, { at: new Date() });

/**
 * A client that retries through the rest of an outage, and the phones that the provider reaches.
 */
function stageOf({ urls, provider }: Service): Stage {
  const read = async (number: string) =>
    provider.requests
      .map(({ form }) => ({ to: form.To ?? "", body: form.Body ?? "" }))
      .filter(({ to }) => to === number)
      .reverse();
  return { ...persistentClient(urls, "203.0.113.9"), ...phones(read) };
}

async function challenged(service: Service, stage: Stage) {
  const user = await person(service);
  const { e164 } = await enrollPhone(stage, user);
  const { id } = await startChallenge(stage, user);
  const passcode = await stage.passcodeTo(e164);
  await challengeSent(stage, id);
  return { user, id, passcode };
}

async function registered(service: Service, stage: Stage) {
  const user = await person(service);
  const { token } = await logInByPassword(stage, user);
  const phone = newPhone();
  const { id } = (await stage.api.registerPhone(token, phone)).body;
  const pin = await stage.pinTo(phone.e164);
  await pinSent(stage, token, id);
  return { token, id, pin };
}
