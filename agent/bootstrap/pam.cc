// SPDX-License-Identifier: Apache-2.0
#include "agent/bootstrap/pam.h"

#include <security/pam_appl.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace zcluster::bootstrap {
namespace {

constexpr char kUser[] = "root";

// What PAM's callbacks find.
struct Conversation {
  const char* password;
  absl::Duration delay = absl::ZeroDuration();
};

void Drop(pam_response* responses, int count) {
  for (int i = 0; i < count; ++i) {
    if (responses[i].resp == nullptr) continue;
    ::explicit_bzero(responses[i].resp, std::strlen(responses[i].resp));
    std::free(responses[i].resp);
  }
  std::free(responses);
}

// Answers what is asked without an echo, which is the password, and nothing else: a module that
// asks more (a second factor) finds nobody to ask.
int Converse(int count, const pam_message** messages, pam_response** responses, void* data) {
  const auto* conversation = static_cast<const Conversation*>(data);
  if (count <= 0 || count > PAM_MAX_NUM_MSG) return PAM_CONV_ERR;
  auto* answers =
      static_cast<pam_response*>(std::calloc(static_cast<size_t>(count), sizeof(pam_response)));
  if (answers == nullptr) return PAM_BUF_ERR;
  for (int i = 0; i < count; ++i) {
    const int style = messages[i]->msg_style;
    if (style == PAM_ERROR_MSG || style == PAM_TEXT_INFO) continue;
    if (style == PAM_PROMPT_ECHO_OFF) answers[i].resp = ::strdup(conversation->password);
    if (answers[i].resp != nullptr) continue;
    Drop(answers, count);
    return PAM_CONV_ERR;
  }
  *responses = answers;  // PAM wipes and frees them
  return PAM_SUCCESS;
}

// PAM would sleep here. We hold the answer back on the loop instead, so that nothing has to wait
// for a thread that sleeps.
void NoteDelay(int, unsigned microseconds, void* data) {
  auto* conversation = static_cast<Conversation*>(data);
  conversation->delay = std::max(conversation->delay, absl::Microseconds(microseconds));
}

absl::Status ToStatus(pam_handle_t* pam, int result) {
  switch (result) {
    case PAM_SUCCESS:
      return absl::OkStatus();
    case PAM_AUTH_ERR:
    case PAM_MAXTRIES:
    case PAM_PERM_DENIED:
    case PAM_USER_UNKNOWN:
      return absl::PermissionDeniedError("wrong");
    default:
      return absl::FailedPreconditionError(::pam_strerror(pam, result));
  }
}

}  // namespace

PamAnswer AskPam(const std::string& service, const std::string& from, const std::string& password) {
  // A NUL would cut it short for PAM.
  if (password.empty() || password.size() >= PAM_MAX_RESP_SIZE ||
      password.find('\0') != std::string::npos) {
    return {absl::PermissionDeniedError("wrong"), absl::ZeroDuration()};
  }
  Conversation conversation{password.c_str()};
  const pam_conv callbacks{Converse, &conversation};
  pam_handle_t* pam = nullptr;
  int result = ::pam_start(service.c_str(), kUser, &callbacks, &pam);
  if (result != PAM_SUCCESS) {
    return {absl::FailedPreconditionError(::pam_strerror(nullptr, result)), absl::ZeroDuration()};
  }
  ::pam_set_item(pam, PAM_RHOST, from.c_str());
  ::pam_set_item(pam, PAM_FAIL_DELAY, reinterpret_cast<const void*>(&NoteDelay));
  // "nullok" of Debian's common-auth must not let anybody in.
  constexpr int kFlags = PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK;
  result = ::pam_authenticate(pam, kFlags);
  absl::Status status = ToStatus(pam, result);
  if (status.ok()) {
    result = ::pam_acct_mgmt(pam, kFlags);
    status = result == PAM_PERM_DENIED ? absl::FailedPreconditionError("the account is closed")
                                       : ToStatus(pam, result);
  }
  ::pam_end(pam, result);
  return {status, conversation.delay};
}

}  // namespace zcluster::bootstrap
