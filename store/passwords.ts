import { hash, verify } from "@node-rs/argon2";

/** Argon2id at the second choice of OWASP's cheat sheet: 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** A hash of nothing at the same cost: an unknown user takes as long as a wrong password. */
const NOBODY =
  "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$dRzY82fgceWJKqstlAB6sn56dYrekptRpYPqbR1lZQg";

/** NIST SP 800-63B-4 section 3.1.1.2: a Unicode password is normalized (NFC) before it is hashed. */
function normalized(password: string): string {
  return password.normalize("NFC");
}

/** The argon2id hash of a password as PHC text with a random salt. */
export function hashPassword(password: string): Promise<string> {
  return hash(normalized(password), COST);
}

/** Whether the password is the hashed one; without a hash false, after the same work. */
export async function verifyPassword(
  passwordHash: string | undefined,
  password: string,
): Promise<boolean> {
  const matches = await verify(passwordHash ?? NOBODY, normalized(password));
  return passwordHash !== undefined && matches;
}
