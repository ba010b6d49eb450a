/** Mozilla's list, as a dictionary of which one can ask for whole words. */
declare module "fxa-common-password-list" {
  const list: { test(password: string): boolean };
  export default list;
}
