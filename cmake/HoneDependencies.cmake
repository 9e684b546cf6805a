# Every dependency of the library, in one place. tools/setup.sh installs them. Installed with the package, for users
# of the static library.
include(${CMAKE_CURRENT_LIST_DIR}/HoneFind.cmake)

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

hone_find_library(NAME zstd TARGET zstd::zstd HEADER zstd.h LIBRARIES zstd PACKAGE libzstd-dev)
hone_find_library(NAME zlib TARGET zlib::zlib HEADER zlib.h LIBRARIES z PACKAGE zlib1g-dev)
hone_find_library(NAME jansson TARGET jansson::jansson HEADER jansson.h LIBRARIES jansson PACKAGE libjansson-dev)
hone_find_library(NAME libyaml TARGET yaml::yaml HEADER yaml.h LIBRARIES yaml PACKAGE libyaml-dev)
hone_find_library(NAME pcre2 TARGET PCRE2::pcre2-8 HEADER pcre2.h LIBRARIES pcre2-8 PACKAGE libpcre2-dev)
hone_find_library(NAME utf8proc TARGET utf8proc::utf8proc HEADER utf8proc.h LIBRARIES utf8proc PACKAGE libutf8proc-dev)
hone_find_library(NAME xxhash TARGET xxHash::xxhash HEADER xxhash.h LIBRARIES xxhash PACKAGE libxxhash-dev)
hone_find_library(NAME Random123 TARGET Random123::Random123 HEADER Random123/philox.h PACKAGE librandom123-dev)
hone_find_library(NAME libcurl TARGET CURL::libcurl HEADER curl/curl.h LIBRARIES curl PACKAGE libcurl4-openssl-dev)
hone_find_library(NAME OpenBLAS TARGET OpenBLAS::OpenBLAS HEADER cblas-openblas.h LIBRARIES openblas
                  HINTS openblas openblas-pthread PACKAGE libopenblas-dev)
if(HONE_WITH_ONEDNN)
  hone_find_library(NAME oneDNN TARGET dnnl::dnnl HEADER oneapi/dnnl/dnnl.h LIBRARIES dnnl PACKAGE libdnnl-dev)
endif()
