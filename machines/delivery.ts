/** What the sending effect, and later the provider, report about a message. */
export type DeliveryEvent =
  | { type: "DELIVERY_FAILED"; reason: string }
  | {
      type: "DELIVERY_REPORTED";
      /** The number of the flow's sending that the report is about. */
      sending: number;
      outcome: "delivered" | "failed";
      reason?: string;
    };

export type DeliveryContext = {
  /** How many sendings were started. Only the newest one's code is good. */
  sendings: number;
  /** The state of the newest message, once a provider has accepted it. */
  delivery?: "sent" | "delivered";
  deliveryProblem?: string;
};

/**
 * What a report adds: undefined if it is about an older sending, or if the message is already known
 * to have reached the phone.
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

/** The context when a sending starts. */
export const sendingBegun = ({ sendings }: DeliveryContext): DeliveryContext => ({
  sendings: sendings + 1,
  delivery: undefined,
  deliveryProblem: undefined,
});

/** The context of a message that a provider has accepted. Its report may have come first. */
export const handedOver = ({ delivery = "sent" }: DeliveryContext) => ({ delivery });

/** The context of a message that will not arrive, from the event that says so. */
export const undelivered = (event: { type: string; reason?: string }) => ({
  delivery: undefined,
  deliveryProblem: event.reason ?? "unknown",
});
