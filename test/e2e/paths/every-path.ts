import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AnyStateMachine, InputFrom } from "xstate";
import { loginChallengeMachine } from "../../../machines/login-challenge.ts";
import { otpEnrollmentMachine } from "../../../machines/otp-enrollment.ts";
import { policyRolloutMachine } from "../../../machines/policy-rollout.ts";
import { smsEnrollmentMachine } from "../../../machines/sms-enrollment.ts";
import { webauthnEnrollmentMachine } from "../../../machines/webauthn-enrollment.ts";
import { webhookDeliveryMachine } from "../../../machines/webhook-delivery.ts";
import { KEY_SETTINGS } from "../../support/keys.ts";
import type { Move, Place } from "../../support/machine-walk.ts";
import { type Form, type PathRules, pathsOf, wayTo } from "../../support/paths.ts";
import { type Stack, startStack } from "../../support/stack.ts";
import * as loginChallenge from "./login-challenge.ts";
import * as otpEnrollment from "./otp-enrollment.ts";
import * as policyRollout from "./policy-rollout.ts";
import { twilio } from "./reports.ts";
import * as smsEnrollment from "./sms-enrollment.ts";
import { type Driven, walkTo } from "./walk.ts";
import * as webauthnEnrollment from "./webauthn-enrollment.ts";
import * as webhookDelivery from "./webhook-delivery.ts";

type Plan<M extends AnyStateMachine> = {
  machine: M;
  inputs: InputFrom<M>[];
  rules: PathRules<M>;
  drive(stack: Stack, input: InputFrom<M>): Promise<Driven<M>>;
};

/** Drives every flow over HTTP along these paths, and prints what was covered. */
export function everyPath(form: Form) {
  const plans = [
    drivenAlong({ machine: loginChallengeMachine, ...loginChallenge }, form),
    drivenAlong({ machine: smsEnrollmentMachine, ...smsEnrollment }, form),
    drivenAlong({ machine: otpEnrollmentMachine, ...otpEnrollment }, form),
    drivenAlong({ machine: webauthnEnrollmentMachine, ...webauthnEnrollment }, form),
    drivenAlong({ machine: policyRolloutMachine, ...policyRollout }, form),
    drivenAlong({ machine: webhookDeliveryMachine, ...webhookDelivery }, form),
  ];
  // Paths with a deadline run on the time-skipping server, the others on the real one.
  describe.each(["real", "skipping"] as const)("in %s time", (time) => {
    let stack: Stack;
    beforeAll(async () => {
      // These tests send more messages an hour than a real service.
      const limits = { SMS_PER_COUNTRY_AND_HOUR: "100000", SMS_PER_HOUR: "100000" };
      stack = await startStack({ time, environment: { ...twilio, ...limits, ...KEY_SETTINGS } });
    });
    afterAll(() => stack.stop());
    for (const { walks } of plans)
      for (const { way, walk } of walks.filter(
        ({ deadline }) => deadline === (time === "skipping"),
      ))
        test(way, () => walk(stack));
  });
  for (const { tell } of plans)
    test("every place was reached, and refused every illegal request", tell);
}

function drivenAlong<M extends AnyStateMachine>(
  { machine, inputs, rules, drive }: Plan<M>,
  form: Form,
) {
  const places = pathsOf(machine, inputs, rules, form);
  /** Place -> the illegal requests that it refused. */
  const covered = new Map<string, Set<string>>();
  const walks = places.map(({ input, place }) => ({
    way: `${machine.id}: ${wayOf(place)}`,
    deadline: place.path.includes("xstate.after"),
    walk: async (stack: Stack) => {
      const refused = await walkTo(place, await drive(stack, input));
      const key = rules.keyOf(place.snapshot);
      covered.set(key, new Set([...(covered.get(key) ?? []), ...refused]));
    },
  }));
  const tell = () => {
    const pairs = [...covered.values()].reduce((all, { size }) => all + size, 0);
    console.log(
      `${machine.id}: ${places.length} ${form} paths to ${covered.size} places; ` +
        `${pairs} (place, illegal request) pairs refused`,
    );
    const wanted = new Set(places.map(({ place }) => rules.keyOf(place.snapshot)));
    expect(new Set(covered.keys())).toEqual(wanted);
    for (const [key, refused] of covered) expect(refused.size, key).toBeGreaterThan(0);
  };
  return { walks, tell };
}

/** The name of a path: its input and its events. */
const wayOf = (place: Place<AnyStateMachine>) =>
  wayTo(place)
    .map((each) => ("event" in each ? (each as Move<AnyStateMachine>).event.type : each.path))
    .join(" > ");
