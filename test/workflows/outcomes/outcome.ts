import type { WorkflowHandle } from "@temporalio/client";
import type { World } from "../world.ts";

/** ms. The length of a deadline that passes on the machine's real clock. */
export const SOON_MS = 1_500;

/**
 * One way for a flow to end. It drives the flow through moves that leave timers and activities in
 * the history, until only time is missing.
 */
export type Outcome = (world: World) => Promise<Ended>;

export type Ended = Pick<WorkflowHandle, "fetchHistory" | "workflowId" | "result">;
