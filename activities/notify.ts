import { ApplicationFailure } from "@temporalio/common";
import { hashCode } from "../store/codes.ts";
import { isMeant } from "../store/events/event-refs.ts";
import { writeNotice } from "../store/notice-mail.ts";
import { isImportant, type Recipient } from "../store/notices.ts";
import { getAccount } from "../store/postgres/accounts.ts";
import { actorsOf } from "../store/postgres/events/actors.ts";
import { type NewEvent, recordEvent } from "../store/postgres/events/events.ts";
import { getEvent } from "../store/postgres/events/read-events.ts";
import type { AuditEvent, User } from "../store/postgres/schema.ts";
import { getUser } from "../store/postgres/users.ts";
import { formerAddress } from "../store/redis/sessions/former-addresses.ts";
import { isRequired, requirementOf, whoRequires } from "../store/requirement.ts";
import type { ActivityDeps } from "./deps.ts";
import { spendNotice } from "./notice-budget.ts";

/** The outcome of a notice; `mail_off` if the service cannot send mails. */
export type NoticeOutcome = "sent" | "no_address" | "refused" | "mail_off";

/**
 * The failure type of a notice over its address's budget. It is dropped, and its flow ends as given
 * up.
 */
const OVER_BUDGET = "over_budget";

type NoticeRequest = { eventId: number; ref?: string; to: Recipient };

/**
 * Tells a user of an event. Address and text are made when the mail is sent, so the history holds
 * neither.
 */
export function noticeActivities(deps: ActivityDeps) {
  const { db, redis, mail, config, clock, log } = deps;
  const requiredOf = async (user: User) => {
    const account = await getAccount(db, user.accountId);
    const required = account && isRequired(requirementOf({ user, account }, config), clock.now());
    return required ? { requiredBy: whoRequires(user, config) } : {};
  };
  return {
    async sendNotice({ eventId, ref, to }: NoticeRequest): Promise<NoticeOutcome> {
      if (!mail) return "mail_off";
      const found = await getEvent(db, eventId);
      const event = found && isMeant(found, ref) ? found : undefined;
      if (found && !event)
        log.warn({ eventId }, "a notice's event is gone: its number is another's");
      const user = event?.userId && (await getUser(db, event.userId));
      if (!user)
        throw ApplicationFailure.nonRetryable("The event or its user does not exist", "no_event");
      const change = { userId: user.id, eventKey: event.key };
      const address = to === "former" ? await formerAddress(redis, change) : user.email;
      if (!address) return "no_address";
      const { SERVICE_NAME: service, PUBLIC_URL: url, SUPPORT_CONTACT: support } = config;
      const actorOf = await actorsOf(db, [event]);
      const words = writeNotice(event, to, {
        service,
        username: user.username,
        url,
        support: support?.text,
        actorRole: actorOf(event)?.roleThen,
        ...(await requiredOf(user)),
      });
      // If the worker crashes after the mail server accepted the mail, it is sent again with the
      // same ID.
      const id = hashCode(config.CODE_KEY, "notice", event.key, to);
      const spent = await spendNotice(deps, {
        address,
        accountId: user.accountId,
        important: isImportant(event),
      });
      if (!spent) {
        await recordEvent(db, droppedNotice(event, to, new Date(clock.now())));
        throw ApplicationFailure.nonRetryable(
          "Too many notices were sent to this address",
          OVER_BUDGET,
        );
      }
      return mail.send({ id, to: address, ...words }).catch(async (error) => {
        await spent.giveBack();
        throw error;
      });
    },
  };
}

/** The event for the user's activity that a notice was not sent. It causes no mail itself. */
function droppedNotice(
  { key, accountId, userId, type }: AuditEvent,
  to: Recipient,
  at: Date,
): NewEvent {
  const detail = { notice: type, to };
  return {
    key: `${key}/notice-dropped/${to}`,
    at,
    accountId,
    userId,
    type: "notice_dropped",
    detail,
  };
}
