/** What a sending effect, and later its provider, tell of a message. */
export type DeliveryEvent =
  | { type: "DELIVERY_FAILED"; reason: string }
  | {
      type: "DELIVERY_REPORTED";
      /** Which of the flow's sendings the report is about. */
      sending: number;
      outcome: "delivered" | "failed";
      reason?: string;
    };

export type DeliveryContext = {
  /** How often a sending was begun; the newest one's code alone is good. */
  sendings: number;
  /** How the newest message stands, once a provider has taken it. */
  delivery?: "sent" | "delivered";
  deliveryProblem?: string;
};

/**
 * What a report tells that is new: undefined for an older sending's, and for any after the message
 * is known to be on the phone.
 */
export function newsOf(
  { sendings, delivery }: DeliveryContext,
  event: { type: string } | DeliveryEvent,
): "delivered" | "failed" | undefined {
  if (!isReport(event) || event.sending !== sendings || delivery === "delivered") return undefined;
  return event.outcome;
}

function isReport(
  event: { type: string } | DeliveryEvent,
): event is DeliveryEvent & { type: "DELIVERY_REPORTED" } {
  return event.type === "DELIVERY_REPORTED";
}

/** The context of a sending that begins. */
export const sendingBegun = ({ sendings }: DeliveryContext): DeliveryContext => ({
  sendings: sendings + 1,
  delivery: undefined,
  deliveryProblem: undefined,
});

/** The context of a message that a provider took; its report may have been faster. */
export const handedOver = ({ delivery = "sent" }: DeliveryContext) => ({ delivery });

/** The context of a message that will not arrive, by the event that tells it. */
export const undelivered = (event: { type: string; reason?: string }) => ({
  delivery: undefined,
  deliveryProblem: event.reason ?? "unknown",
});
