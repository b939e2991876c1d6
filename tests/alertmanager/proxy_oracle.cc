// SPDX-License-Identifier: Apache-2.0
#include "proxy_oracle.h"

#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "alertmanager/proxy_for_test.h"
#include "base/json.h"

namespace collect::alertmanager {
namespace {

using Wrong = std::optional<std::string>;

// Compact JSON has as many bytes as its tree, where duplicates are gone: a body with one is longer.
bool is_compact(const std::string& body) {
  const auto document = json::Document::parse(body);
  return document.ok() && json::to_text(document->root()).size() == body.size();
}

std::string text_of(const json::Value& object, std::string_view key) {
  const json::Value* value = object.find(key);
  return value != nullptr && value->is_string() ? std::string(value->text) : "";
}

Wrong judge_headers(const Received& request) {
  static const std::set<std::string> kKnown = {"Host",          "User-Agent",   "Accept",
                                               "X-Scope-OrgID", "Content-Type", "Content-Length"};
  std::map<std::string, int> seen;
  for (std::size_t at = request.head.find("\r\n") + 2; at + 2 < request.head.size();) {
    const std::size_t end = request.head.find("\r\n", at);
    const std::string name = request.head.substr(at, request.head.find(':', at) - at);
    if (!kKnown.contains(name)) return "the header " + name;
    if (++seen[name] > 1) return "the header " + name + " twice";
    at = end + 2;
  }
  if (request.header("X-Scope-OrgID") != "org-1") return "the tenant " + request.header("X-Scope-OrgID");
  return std::nullopt;
}

Wrong judge_alerts(const std::string& body) {
  if (!is_compact(body)) return "alerts that are not compact JSON";
  const auto document = json::Document::parse(body);
  if (!document->root().is_array()) return "no list of alerts";
  static const std::set<std::string_view> kKnown = {"labels", "annotations", "startsAt", "endsAt",
                                                    "generatorURL"};
  for (const auto& alert : document->root().elements) {
    for (const auto& member : alert.members) {
      if (!kKnown.contains(member.key)) return "the member " + std::string(member.key);
    }
    const json::Value* labels = alert.find("labels");
    if (labels == nullptr) return "an alert without labels";
    if (text_of(*labels, "system_key") != kKeyA || text_of(*labels, "system_id") != "id-a" ||
        text_of(*labels, "organization_id") != "org-1" || text_of(*labels, "system_name") != "name of id-a" ||
        text_of(*labels, "organization_name") != "Acme" ||
        text_of(*labels, "organization_type") != "customer" || labels->find("system_fqdn") != nullptr ||
        labels->find("system_ipv4") != nullptr || labels->find("system_type") != nullptr ||
        labels->find("organization_vat") != nullptr) {
      return "an alert that is not A's";
    }
  }
  return std::nullopt;
}

bool names_a(const json::Value& matcher) {
  const json::Value* regex = matcher.find("isRegex");
  const json::Value* equal = matcher.find("isEqual");
  return text_of(matcher, "name") == "system_key" && text_of(matcher, "value") == kKeyA && regex != nullptr &&
         !regex->boolean && equal != nullptr && equal->boolean;
}

Wrong judge_silence(const std::string& body) {
  if (!is_compact(body)) return "a silence that is not compact JSON";
  const auto document = json::Document::parse(body);
  const json::Value& silence = document->root();
  static const std::set<std::string_view> kKnown = {"id",     "matchers",  "startsAt",
                                                    "endsAt", "createdBy", "comment"};
  for (const auto& member : silence.members) {
    if (!kKnown.contains(member.key)) return "the member " + std::string(member.key);
  }
  if (silence.find("id") != nullptr && text_of(silence, "id") != kSilenceOfA)
    return "a silence that is not A's";
  const json::Value* matchers = silence.find("matchers");
  if (matchers == nullptr || matchers->elements.size() < 2) return "a silence without a matcher of its own";
  int ours = 0;
  for (const auto& matcher : matchers->elements) {
    if (text_of(matcher, "name") != "system_key") continue;
    if (!names_a(matcher)) return "a matcher on another system";
    ++ours;
  }
  return ours == 1 ? Wrong() : "not one matcher on A";
}

bool is_row_of_a(const json::Value& row) {
  if (const json::Value* labels = row.find("labels")) return text_of(*labels, "system_key") == kKeyA;
  const json::Value* matchers = row.find("matchers");
  return matchers != nullptr && std::any_of(matchers->elements.begin(), matchers->elements.end(), names_a);
}

Wrong judge_query(const std::string& query, bool of_alerts) {
  static const std::regex kFilter(R"rx(([A-Za-z_][A-Za-z0-9_]*)(=|!=|=~|!~)"((?:[^"\\\n]|\\["\\n])*)")rx");
  static const std::set<std::string> kFlags = {"active", "silenced", "inhibited", "unprocessed"};
  int ours = 0;
  for (std::size_t at = 0; at <= query.size();) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string pair = query.substr(at, end - at);
    at = end + 1;
    const std::string name = pair.substr(0, pair.find('='));
    const auto value = net::percent_decoded(pair.substr(name.size() + 1));
    if (!value || pair.find('+') != std::string::npos) return "the query " + pair;
    if (name == "filter") {
      std::smatch parts;
      if (value->size() > 2000) continue;  // std::regex recurses
      if (!std::regex_match(*value, parts, kFilter)) return "the filter " + *value;
      if (parts[1] != "system_key") continue;
      if (*value != "system_key=\"" + std::string(kKeyA) + "\"") return "the filter " + *value;
      ++ours;
    } else if (!of_alerts ||
               (name != "receiver" && !(kFlags.contains(name) && (*value == "true" || *value == "false")))) {
      return "the parameter " + pair;
    }
  }
  return ours == 1 ? Wrong() : "not one filter on A";
}

}  // namespace

Wrong judge_received(const Received& request) {
  if (auto wrong = judge_headers(request)) return wrong;
  const std::string api = "/alertmanager/api/v2/";
  const std::string path = request.target.substr(0, request.target.find('?'));
  const bool has_query = path.size() < request.target.size();
  const std::string query = has_query ? request.target.substr(path.size() + 1) : "";
  if (request.method == "POST" && !has_query && path == api + "alerts") return judge_alerts(request.body);
  if (request.method == "POST" && !has_query && path == api + "silences") return judge_silence(request.body);
  if (!request.body.empty()) return "a body with " + request.method;
  if (request.method == "GET" && has_query && path == api + "alerts") return judge_query(query, true);
  if (request.method == "GET" && has_query && path == api + "silences") return judge_query(query, false);
  static const std::regex kById(
      "/alertmanager/api/v2/silence/"
      "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
  if (!has_query && std::regex_match(path, kById)) {
    if (request.method == "GET") return std::nullopt;  // to see whose it is
    if (request.method == "DELETE" && path.ends_with(kSilenceOfA)) return std::nullopt;
  }
  return request.method + " " + request.target;
}

Wrong judge_answer(const net::Response& answer, const std::vector<Received>& received) {
  if (answer.body.find(kSecretOfB) != std::string::npos) return "A got a byte of B's: " + answer.body;
  for (const auto& header : answer.headers) {
    if (header.value.find(kSecretOfB) != std::string::npos) return "A got a byte of B's in " + header.name;
  }
  const auto document = json::Document::parse(answer.body);
  if (!document) return "the answer is no JSON: " + answer.body;
  const json::Value& root = document->root();
  if (answer.status == 200) {
    if (received.empty()) return "a 200 that nobody upstream knows of";
    const bool is_row = root.find("matchers") != nullptr;
    if (is_row ? !is_row_of_a(root) : !std::all_of(root.elements.begin(), root.elements.end(), is_row_of_a))
      return "A got a row that is not A's: " + answer.body;
    return std::nullopt;
  }
  static const std::set<int> kRefusals = {400, 401, 403, 404, 405, 413, 414, 415, 417, 431, 502, 503, 505};
  if (!kRefusals.contains(answer.status)) return "the status " + std::to_string(answer.status);
  if (text_of(root, "message").empty()) return "a refusal without a reason";
  return std::nullopt;
}

}  // namespace collect::alertmanager
