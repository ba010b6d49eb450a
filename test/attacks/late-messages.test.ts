// Temporal is slow: my requests for messages get a 503, but take effect a moment later. I repeat
// them. The victim's phone must not get more messages, and the service must not pay for more, than
// the limits allow.
import { Client } from "@temporalio/client";
import { describe, expect, test } from "vitest";
import type { Limits } from "../../config.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { freePort } from "../../scripts/ports.ts";
import { keptMessages } from "../../store/redis/messages/outbox.ts";
import { connectTemporal } from "../../temporal/connection.ts";
import { TemporalAway, TemporalUnreached } from "../../temporal/errors.ts";
import { createFlows, type Flows } from "../../temporal/flows.ts";
import { impatientClient } from "../support/flow-attacks.ts";
import { newPhone } from "../support/phones.ts";
import { expectProblem } from "../support/problems.ts";
import {
  challengeSent,
  enrollPhone,
  logInByPassword,
  pinSent,
  startChallenge,
  unverifiedPhone,
} from "../support/scenarios.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";

const INTERVAL_MS = 30_000;
const MESSAGES = 3;

const stack = useStack();

/** Flows that do what is asked, but answer after the caller has given up. */
function late(): CoreDeps["flows"] {
  const { flows } = stack.deps;
  const tooLate = async (work: Promise<unknown>): Promise<never> => {
    await work;
    throw new TemporalAway("no answer in 1500 ms");
  };
  const slow = {
    ...flows,
    startLoginChallenge: (args: Parameters<Flows["startLoginChallenge"]>[0]) =>
      tooLate(flows.startLoginChallenge(args)),
    startSmsEnrollment: (args: Parameters<Flows["startSmsEnrollment"]>[0]) =>
      tooLate(flows.startSmsEnrollment(args)),
    moveChallenge: (...args: Parameters<Flows["moveChallenge"]>) =>
      tooLate(flows.moveChallenge(...args)),
    moveEnrollment: (...args: Parameters<Flows["moveEnrollment"]>) =>
      tooLate(flows.moveEnrollment(...args)),
  };
  return slow as typeof flows;
}

/** A client without retries, at a gateway with these flows and a low message limit. */
function fewMessages(flows: CoreDeps["flows"]) {
  const { config } = stack.deps;
  const { passcode, pin } = config.limits;
  const limits = {
    ...config.limits,
    passcode: { ...passcode, perHour: MESSAGES },
    pin: { ...pin, perDay: MESSAGES },
  } as unknown as Limits;
  return impatientClient(stack, { flows, config: { ...config, limits } });
}

const messagesTo = async (number: string) => (await keptMessages(stack.deps.redis, number)).length;

/** Asks twice as often as the limit allows. Returns how many messages came. */
async function asked(number: string, ask: (n: number) => Promise<void>) {
  const before = await messagesTo(number);
  for (let n = 0; n < 2 * MESSAGES; n++) await ask(n);
  return (await messagesTo(number)) - before;
}

describe("attack: a request whose answer is late still costs its message", () => {
  test("a login's passcode that is sent again", async () => {
    const api = fewMessages(late());
    const user = await stack.createUser();
    const { e164 } = await enrollPhone(stack, user);
    const { id } = await startChallenge(stack, user);
    await challengeSent(stack, id);
    const codes: string[] = [];
    const sent = await asked(e164, async () => {
      await stack.advance(INTERVAL_MS);
      codes.push((await api.resendPasscode(id)).problem.code);
      await challengeSent(stack, id);
    });
    // The login itself used one message of the limit.
    expect(sent).toBe(MESSAGES - 1);
    expect(new Set(codes)).toEqual(new Set(["service_unavailable", "send_limit"]));
  });

  test("a login that starts again", async () => {
    const api = fewMessages(late());
    const user = await stack.createUser();
    const { e164 } = await enrollPhone(stack, user);
    const before = await messagesTo(e164);
    let unavailable = 0;
    for (let n = 0; n < 2 * MESSAGES; n++)
      if ((await api.logIn(user)).status === 503) unavailable++;
    expect(unavailable).toBe(2 * MESSAGES);
    // Waits for all of them, then sends one more by the usual gateway, which has a higher limit.
    await until(
      () => messagesTo(e164),
      (count) => count >= before + MESSAGES,
    );
    const { id } = await startChallenge(stack, user);
    await challengeSent(stack, id);
    expect((await messagesTo(e164)) - before).toBe(MESSAGES + 1);
  });

  test("a phone's PIN that is sent again", async () => {
    const api = fewMessages(late());
    const { token, id, e164 } = await unverifiedPhone(stack, await stack.createUser());
    const sent = await asked(e164, async () => {
      await stack.advance(INTERVAL_MS);
      await api.resendPin(token, id);
      await pinSent(stack, token, id);
    });
    expect(sent).toBe(MESSAGES - 1);
  });
});

describe("attack: a phone that is added again and again while Temporal is slow", () => {
  test("a PIN that was sent before the phone was removed costs its message", async () => {
    const { token } = await logInByPassword(stack, await stack.createUser());
    const phone = newPhone();
    const { flows } = stack.deps;
    let sent = 0;
    // The answer comes so late that the PIN is sent before.
    const startSmsEnrollment = async (args: Parameters<Flows["startSmsEnrollment"]>[0]) => {
      await flows.startSmsEnrollment(args);
      await until(
        () => messagesTo(phone.e164),
        (count) => count > sent,
      );
      sent += 1;
      throw new TemporalAway("no answer in 1500 ms");
    };
    const api = fewMessages({ ...flows, startSmsEnrollment });
    const codes: string[] = [];
    for (let n = 0; n < 2 * MESSAGES; n++) {
      codes.push((await api.registerPhone(token, phone)).problem.code);
      await stack.advance(INTERVAL_MS);
    }
    const [unavailable, limit] = ["service_unavailable", "send_limit"];
    expect(codes).toEqual([
      ...Array.from({ length: MESSAGES }, () => unavailable),
      ...Array.from({ length: MESSAGES }, () => limit),
    ]);
    expect(await messagesTo(phone.e164)).toBe(MESSAGES);
    expect((await stack.api.multiFactor(token)).body.devices).toEqual([]);
  });
});

describe("what certainly sent nothing costs no message", () => {
  test("a phone whose set-up began too late is removed, and can be added again at once", async () => {
    const { token } = await logInByPassword(stack, await stack.createUser());
    const phone = newPhone();
    const api = fewMessages(late());
    // Each flow starts before the answer, but finds no device when its worker comes.
    await stack.stopWorker();
    for (let n = 0; n < 2 * MESSAGES; n++)
      expectProblem(await api.registerPhone(token, phone), "service_unavailable");
    await stack.restartWorker();
    expect((await stack.api.multiFactor(token)).body.devices).toEqual([]);
    expect((await stack.api.registerPhone(token, phone)).status).toBe(201);
    await stack.pinTo(phone.e164);
    expect(await messagesTo(phone.e164)).toBe(1);
  });

  test("a request that did not reach Temporal can be sent again at once", async () => {
    const connection = connectTemporal({ address: `127.0.0.1:${await freePort()}` });
    const away = createFlows(new Client({ connection, namespace: stack.temporal.namespace }));
    const { flows } = stack.deps;
    const { moveChallenge, moveEnrollment, startLoginChallenge } = away;
    const gone = { ...flows, moveChallenge, moveEnrollment, startLoginChallenge };
    const api = fewMessages(gone);
    const user = await stack.createUser();
    const phone = await unverifiedPhone(stack, user);
    await stack.advance(INTERVAL_MS);
    for (let n = 0; n < 2 * MESSAGES; n++)
      expectProblem(await api.resendPin(phone.token, phone.id), "service_unavailable");
    expect((await stack.api.resendPin(phone.token, phone.id)).status).toBe(202);

    const other = await stack.createUser();
    await enrollPhone(stack, other);
    for (let n = 0; n < 2 * MESSAGES; n++)
      expectProblem(await api.logIn(other), "service_unavailable");
    const { id } = await startChallenge(stack, other);
    expect((await challengeSent(stack, id)).state).toBe("awaiting_passcode");
    await stack.advance(INTERVAL_MS);
    for (let n = 0; n < 2 * MESSAGES; n++)
      expectProblem(await api.resendPasscode(id), "service_unavailable");
    expect((await fewMessages(flows).resendPasscode(id)).status).toBe(202);
    await connection.close();
  });

  test("a change whose flow answers late counts as one; a change that reached no flow does not", async () => {
    const { token } = await logInByPassword(stack, await stack.createUser());
    const { config, flows } = stack.deps;
    const limits = { ...config.limits, changesPerDay: 2 } as unknown as Limits;
    const parts = (startOtpEnrollment: Flows["startOtpEnrollment"]) => ({
      config: { ...config, limits },
      flows: { ...flows, startOtpEnrollment },
    });
    const body = { name: "App" };
    const add = (startOtpEnrollment: Flows["startOtpEnrollment"]) =>
      impatientClient(stack, parts(startOtpEnrollment)).call("POST", "/v1/me/devices/otp", {
        ...{ token, body },
      });
    const away = (neverSent: boolean) => async () => {
      throw neverSent ? new TemporalUnreached() : new TemporalAway();
    };
    for (let n = 0; n < 4; n++) expectProblem(await add(away(true)), "service_unavailable");
    for (let n = 0; n < 2; n++) expectProblem(await add(away(false)), "service_unavailable");
    expectProblem(await add(flows.startOtpEnrollment), "too_many_requests");
  });
});
