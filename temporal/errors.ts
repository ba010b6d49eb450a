/** Temporal or every worker is away: nobody has judged what was asked, and trying again is right. */
export class TemporalAway extends Error {}

/** Nobody was there to be asked: nothing was begun, nor will be later. */
export class TemporalUnreached extends TemporalAway {}

/** A removal was begun, and goes on by itself; only its end was not waited for. */
export class RemovalUnderWay extends TemporalAway {
  readonly removalId: string;

  constructor(removalId: string, cause: unknown) {
    super("A removal goes on", { cause });
    this.removalId = removalId;
  }
}

/**
 * One flow has too much to do at this moment. Clients are told the same as of an outage, since the
 * difference would tell which guesses were right; but its user can bring it about, so nothing is given
 * back for it.
 */
export class FlowBusy extends Error {}

/**
 * Temporal is there and refuses this workflow's Updates for good: it has taken as many as the engine
 * allows (history.maxTotalUpdates). No wait and no other try helps.
 */
export class FlowSpent extends Error {}

/** Temporal does not know the flow: it has lost it, or a crash prevented its start. */
export class FlowUnknown extends Error {}
