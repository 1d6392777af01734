/** Which members an object lacks, as `owner.member`. */
export const lacking = (owner: string, object: object | undefined, members: readonly string[]): string[] =>
  members.filter((member) => !object || !(member in object)).map((member) => `${owner}.${member}`);
