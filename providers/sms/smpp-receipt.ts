import type { PDU } from "smpp";
import type { DeliveryReport, UndeliverableReason } from "./sms.ts";

/** What a receipt says about the message that the SMSC knows as `messageId`. */
export type SmppReceipt = { messageId: string } & Omit<DeliveryReport, "reference">;

type State = { name: string; reason?: UndeliverableReason };

/**
 * The final states, by the number in the TLV message_state (SMPP 3.4, 5.2.28) and by the word in
 * the receipt's text (appendix B). All other states are intermediate.
 */
const STATES: Record<number, State> = {
  2: { name: "DELIVRD" },
  3: { name: "EXPIRED", reason: "expired" },
  4: { name: "DELETED", reason: "rejected_by_carrier" },
  5: { name: "UNDELIV", reason: "unreachable_number" },
  7: { name: "UNKNOWN", reason: "unknown" },
  8: { name: "REJECTD", reason: "rejected_by_carrier" },
};

/** SMPP 3.4, 5.2.12: bits 2 to 5 of esm_class give the kind of message. */
const KIND = 0b0011_1100;
const RECEIPT = 0b0000_0100;

/** Reads a deliver_sm; undefined unless it is a receipt about a final state. */
export function readReceipt(pdu: PDU): SmppReceipt | undefined {
  if (((pdu.esm_class ?? 0) & KIND) !== RECEIPT) return undefined;
  const text = String((pdu.short_message ?? pdu.message_payload)?.message ?? "");
  const messageId = pdu.receipted_message_id || /\bid:\s*(\S+)/i.exec(text)?.[1];
  const word = /\bstat:\s*([a-z]+)/i.exec(text)?.[1]?.toUpperCase();
  const state =
    pdu.message_state === undefined
      ? Object.values(STATES).find(({ name }) => name === word)
      : STATES[pdu.message_state];
  if (!messageId || !state) return undefined;
  const { reason } = state;
  return reason ? { messageId, outcome: "failed", reason } : { messageId, outcome: "delivered" };
}
