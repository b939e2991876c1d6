// SPDX-License-Identifier: Apache-2.0
#include "alerts/channels/email_channel.h"

#include "alerts/message_text.h"

namespace collect::alerts {

EmailChannel::EmailChannel(EmailChannelConfig config, std::size_t most_shown)
    : config_(std::move(config)), most_shown_(most_shown) {}

Result<std::string> EmailChannel::send(const Delivery& delivery) {
  const Digest digest(delivery, most_shown_);
  net::Mail mail;
  mail.from = config_.from;
  mail.to = config_.to;
  mail.subject = subject(digest);
  // Id and date are the delivery's: a mail that is sent twice is seen to be the same one.
  mail.id = delivery.id;
  mail.date = delivery.created_at;
  mail.plain = plain_text(digest) + "\n";
  mail.html = html_text(digest);

  net::Envelope envelope{config_.from.address, {}};
  for (const auto& mailbox : config_.to) envelope.to.push_back(mailbox.address);
  return net::send_mail({.host = config_.host,
                         .port = config_.port,
                         .security = config_.security,
                         .username = config_.username,
                         .password = config_.password,
                         .ca_file = config_.ca_file,
                         .timeout = std::chrono::duration_cast<std::chrono::milliseconds>(config_.timeout)},
                        envelope, net::compose(mail));
}

}  // namespace collect::alerts
