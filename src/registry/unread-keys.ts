/** The keys of langgraph.json for building images. */
export const buildKeyNames = [
  "dependencies",
  "node_version",
  "node_loader",
  "python_version",
  "dockerfile_lines",
  "docker_compose_file",
  "base_image",
  "image_distro",
  "api_version",
  "pip_config_file",
  "pip_installer",
  "keep_pkg_tools",
  "source",
];
/** The keys that only editors or the official command-line tool use. */
export const toolKeys = ["$schema", "_INTERNAL_docker_tag"];

/**
 * Returns the keys of an object in langgraph.json that this service does not read, each with `prefix` before it. `read` lists the keys that
 * the service reads.
 */
export function unreadKeys(options: object, read: string[], prefix = ""): string[] {
  return Object.keys(options)
    .filter((key) => !read.includes(key))
    .map((key) => prefix + key);
}
