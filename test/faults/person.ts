import { setTimeout as sleep } from "node:timers/promises";
import type { Authenticated } from "../../core/login/complete-challenge.ts";
import type { LoginResult } from "../../core/login/start-login.ts";
import { keptMessages } from "../../store/redis/messages/outbox.ts";
import { codeAt } from "../support/apps.ts";
import type { Answer } from "../support/client.ts";
import type { Person } from "../support/people.ts";
import { wrongCode } from "../support/scenarios.ts";
import { persistentClient } from "./client.ts";
import type { Installation } from "./installation.ts";
import { newLedger, noteAttempts } from "./ledger.ts";

const LOOK_MS = 100;
const PATIENCE_MS = 180_000;
const STEP_MS = 30_000;
const PASSCODE = /^(\d{7}) is /;
const PIN = /^(\d{4}) is /;

/** States in which no PIN is valid and none is being sent. */
const NEEDS_PIN = ["delivery_failed", "pin_void", "pin_expired"];

type App = { id: string; secret: string; usedStep: number };

/** A user with a retrying client, a phone, an app, and a ledger of what they were told. */
export function personOf({ urls, redis }: Installation, user: Person, address: string) {
  const { api, repeated, tries } = persistentClient(urls, address);
  const ledger = newLedger(user);

  const expectStatus = <Body>(answer: Answer<Body>, ...statuses: number[]) => {
    if (!statuses.includes(answer.status))
      throw new Error(`${user.username} expected ${statuses}: ${answer.status}, after ${tries()}`);
    return answer;
  };

  /** Codes on the phone, newest first. */
  const codesOn = async (number: string, pattern: RegExp) => {
    for (;;) {
      const messages = await keptMessages(redis, number).catch(() => undefined);
      if (messages) return codesIn(messages, pattern);
      await sleep(LOOK_MS);
    }
  };

  const codesIn = (messages: readonly { body: string }[], pattern: RegExp) =>
    messages.flatMap(({ body }) => pattern.exec(body)?.[1] ?? []);

  /** Waits for a code that was not tried. If none comes, `resend` requests another. */
  const nextCode = async (
    number: string,
    pattern: RegExp,
    tried: Set<string>,
    resend: () => Promise<boolean>,
  ) => {
    const end = performance.now() + PATIENCE_MS;
    for (let looks = 1; performance.now() < end; looks++) {
      const code = (await codesOn(number, pattern)).find((each) => !tried.has(each));
      if (code) return code;
      if (looks % 20 === 0 && !(await resend())) return undefined;
      await sleep(LOOK_MS);
    }
    throw new Error(`${user.username} was sent no code`);
  };

  const noteSession = (session: { id: string; token: string }, challenge?: string) => {
    const { id, token } = session;
    ledger.sessions.push({ id, token, challenge });
    if (challenge) ledger.attemptsRemaining = undefined;
    return token;
  };

  const logIn = async (): Promise<LoginResult> => {
    const login = expectStatus(await api.logIn(user), 200).body;
    if (login.status === "challenge")
      noteAttempts(ledger, login.challenge.attemptsRemaining, false);
    else noteSession(login.session);
    return login;
  };

  const challenge = async () => {
    const login = await logIn();
    if (login.status !== "challenge") throw new Error(`${user.username} was not challenged`);
    return login.challenge;
  };

  /** The token of the opened session; undefined if its answer was lost or the code is now wrong. */
  const tokenOf = (id: string, answered: Answer<Authenticated>): string | undefined => {
    const verified = expectStatus(answered, 200, 409, 410, 422);
    if (verified.status === 200) return noteSession(verified.body.session, id);
    if (verified.status === 422)
      if (verified.problem.attemptsRemaining !== undefined)
        noteAttempts(ledger, verified.problem.attemptsRemaining, true);
      else if (!repeated()) throw new Error(verified.text);
    // 409: an earlier try opened the session, but its answer was lost with a gateway.
    if (verified.status === 409) {
      if (!repeated()) throw new Error(verified.text);
      ledger.attemptsRemaining = undefined;
    }
    return undefined;
  };

  const tried = { pins: new Set<string>(), passcodes: new Set<string>() };

  return {
    ...{ api, ledger, repeated, expectStatus, logIn, challenge, tokenOf },

    answer: async (id: string, passcode: string) =>
      tokenOf(id, await api.verifyPasscode(id, passcode)),

    async logInByPassword(): Promise<string> {
      const login = await logIn();
      if (login.status === "challenge") throw new Error(`${user.username} was challenged`);
      return login.session.token;
    },

    /** Types one wrong passcode. False if that locked the user. */
    async guessWrong(id: string, known: string): Promise<boolean> {
      const guess = await api.verifyPasscode(id, wrongCode(known, 1 + (tried.passcodes.size % 8)));
      expectStatus(guess, 422, 423);
      if (guess.status === 422) noteAttempts(ledger, guess.problem.attemptsRemaining, true);
      return guess.status === 422;
    },

    /** Marks the codes on the phone as tried: they are not for the next challenge. */
    async forgetPasscodes(number: string) {
      for (const code of await codesOn(number, PASSCODE)) tried.passcodes.add(code);
    },

    /** A passcode of the challenge that was not tried; undefined if the challenge has ended. */
    async passcode(id: string, number: string): Promise<string | undefined> {
      const code = await nextCode(number, PASSCODE, tried.passcodes, async () => {
        const { state, next } = expectStatus(await api.challenge(id), 200).body;
        if (state === "delivery_failed" && next.includes("resend"))
          expectStatus(await api.resendPasscode(id), 202, 409, 429);
        return next.length > 0;
      });
      if (code) tried.passcodes.add(code);
      return code;
    },

    /** A PIN of the device that was not tried. */
    async pin(token: string, id: string, number: string): Promise<string> {
      const code = await nextCode(number, PIN, tried.pins, async () => {
        const device = await deviceOf(token, id);
        if (device && NEEDS_PIN.includes(device.state))
          expectStatus(await api.resendPin(token, id), 202, 409, 429);
        return true;
      });
      tried.pins.add(code as string);
      return code as string;
    },

    device: (token: string, id: string) => deviceOf(token, id),

    /** An unused code of the app; waits for the next TOTP step if needed. */
    async appCode(app: App): Promise<string> {
      const now = () => Math.floor(Date.now() / STEP_MS);
      // The service accepts one step back and one ahead. Pairing uses the step before, so that the
      // current step is left for a login.
      const step = Math.max(app.usedStep + 1, app.usedStep === 0 ? now() - 1 : now());
      while (step > now() + 1) await sleep(LOOK_MS);
      app.usedStep = step;
      return codeAt(app.secret, step * STEP_MS);
    },
  };

  async function deviceOf(token: string, id: string) {
    const { devices } = expectStatus(await api.multiFactor(token), 200).body;
    return devices.find((device) => device.id === id);
  }
}

export type FaultyPerson = ReturnType<typeof personOf>;
export type { App };
