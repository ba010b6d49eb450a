import { setCurrentDetails, upsertSearchAttributes } from "@temporalio/workflow";
import { details } from "./details.ts";
import { measureEnd } from "./measure.ts";

/** Shows operators how a flow without a machine ended, counts it, and returns the state. */
export function end<State extends string>(state: State): State {
  upsertSearchAttributes({ MfaState: [state] });
  setCurrentDetails(details({ state }));
  measureEnd({ state });
  return state;
}
