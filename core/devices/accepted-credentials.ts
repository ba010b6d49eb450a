import { credentialIdsOf } from "../../store/postgres/webauthn-credentials.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import type { CoreDeps } from "../deps.ts";
import { userHandleOf } from "../webauthn/registration.ts";
import { findRelyingParty } from "../webauthn/relying-party.ts";

/** AllAcceptedCredentialsOptions of Web Authentication Level 3, 5.1.10. */
export type AcceptedCredentials = {
  rpId: string;
  userId: string;
  allAcceptedCredentialIds: string[];
};

/**
 * What the user's browser is told, so that it no longer offers passkeys that were removed here;
 * undefined if there is no relying party. Keys that are not verified yet are kept too.
 */
export async function acceptedCredentials(
  { db, config }: Pick<CoreDeps, "db" | "config">,
  { userId }: Pick<Session, "userId">,
): Promise<AcceptedCredentials | undefined> {
  const rp = findRelyingParty(config);
  if (!rp) return undefined;
  const allAcceptedCredentialIds = await credentialIdsOf(db, userId);
  return { rpId: rp.id, userId: userHandleOf(userId), allAcceptedCredentialIds };
}
