/** The keys of a part of langgraph.json that nobody here reads. */
export function unreadKeys(given: object, read: string[], prefix = ""): string[] {
  return Object.keys(given)
    .filter((key) => !read.includes(key))
    .map((key) => prefix + key);
}
