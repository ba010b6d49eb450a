/** Temporal or every worker is down. Nobody has judged the request, and it may be tried again. */
export class TemporalAway extends Error {}

/**
 * There is no connection to Temporal, so the call started nothing and will start nothing. One case
 * is left, in which it may have: see docs/decisions/0027.
 */
export class TemporalUnreached extends TemporalAway {}

/** A removal was started and continues; only its end was not awaited. */
export class RemovalUnderWay extends TemporalAway {
  readonly removalId: string;

  constructor(removalId: string, cause: unknown) {
    super("The removal is still running", { cause });
    this.removalId = removalId;
  }
}

/**
 * One flow is too busy at this moment. Clients get the same answer as in an outage, because a
 * difference would reveal which guesses were right. But a user can cause this, so nothing is given
 * back for it.
 */
export class FlowBusy extends Error {
  constructor(cause: unknown) {
    super("a flow is too busy to take a call", { cause });
  }
}

/**
 * Temporal refuses this workflow's Updates for good: it has taken as many as Temporal allows
 * (history.maxTotalUpdates). Neither waiting nor retrying helps.
 */
export class FlowSpent extends Error {}

/** Temporal does not know the flow: its data was lost, or a crash prevented the start. */
export class FlowUnknown extends Error {}
