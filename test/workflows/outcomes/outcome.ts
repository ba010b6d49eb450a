import type { WorkflowHandle } from "@temporalio/client";
import type { World } from "../world.ts";

/** How long a deadline takes that is waited for on the machine's own clock. */
export const SOON_MS = 1_500;

/**
 * One way for a flow to end: drives it, by the moves that leave timers and activities behind, to
 * where nothing but time is missing.
 */
export type Outcome = (world: World) => Promise<Ended>;

export type Ended = Pick<WorkflowHandle, "fetchHistory" | "workflowId" | "result">;
