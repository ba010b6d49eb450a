import { defaultPayloadConverter, fromPayloadsAtIndex } from "@temporalio/common";
import type { LoginChallengeArgs } from "../workflows/messages.ts";
import type { ChallengeView } from "../workflows/view-types.ts";
import { firstChallengeView } from "../workflows/views.ts";
import type { History } from "./calls.ts";

/**
 * The view of a challenge that no worker has run yet, from its history: the arguments of its start,
 * and the signals since. Undefined if a worker was already asked to run it.
 */
export function unrunChallenge({ events }: History): ChallengeView | undefined {
  if (!events?.length || events.some((event) => event.workflowTaskScheduledEventAttributes))
    return undefined;
  const [started, ...since] = events;
  const args = payloadOf<LoginChallengeArgs>(started?.workflowExecutionStartedEventAttributes);
  const signals = since.flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
    signal?.signalName ? [{ name: signal.signalName, payload: payloadOf<object>(signal) }] : [],
  );
  return firstChallengeView(args, signals);
}

type Attributes = Parameters<typeof fromPayloadsAtIndex>[2];

function payloadOf<T>(attributes: { input?: { payloads?: Attributes } | null } | null | undefined) {
  return fromPayloadsAtIndex<T>(defaultPayloadConverter, 0, attributes?.input?.payloads);
}
